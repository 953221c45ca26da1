/** The scripts behind the operators' changes to the revocations. See `redis-scripts.ts` for what all scripts keep to. */

import type { Script } from '../redis/scripts.ts';

/**
 * Adds one entry, or lets the one that is there grow. KEYS: revocations, changes, expiry, the hold of the name. ARGV: name,
 * expiry, cut-off or an empty string, the rest as JSON. While a hold lasts, the cut-off also waits for its end. Gives `kept expiry cut-off`, the last perhaps empty. Entries that have expired are swept
 * on the way, and all keys end with their last entry.
 */
export const ADD_REVOCATION: Script = {
  text: `local time = redis.call('TIME')
local name, expires, before = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local dead = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', time[1], 'LIMIT', 0, 500)
if #dead > 0 then
  redis.call('HDEL', KEYS[1], unpack(dead))
  redis.call('ZREM', KEYS[2], unpack(dead))
  redis.call('ZREM', KEYS[3], unpack(dead))
end
local kept = redis.call('HGET', KEYS[1], name)
if kept then
  local e, b = string.match(kept, '^(%d+) (%d*)')
  expires = math.max(expires, tonumber(e))
  if before then before = math.max(before, tonumber(b) or 0) end
end
local held, since, cut, ends = string.match(redis.call('GET', KEYS[4]) or '', '^(%d) (%d+) (%d+) (%d+)$')
if held == '1' and before then
  cut = math.max(tonumber(cut), tonumber(ARGV[3]))
  ends = math.max(tonumber(ends), tonumber(ARGV[2]))
  local left = redis.call('PTTL', KEYS[4])
  redis.call('SET', KEYS[4], string.format('1 %s %.0f %.0f', since, cut, ends), 'PX', string.format('%.0f', left))
end
redis.call('HSETNX', KEYS[1], 'epoch', time[1] .. string.format('%06d', time[2]))
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
local cutoff = before and string.format('%.0f', before) or ''
redis.call('HSET', KEYS[1], name, string.format('%.0f', expires) .. ' ' .. cutoff .. ' ' .. ARGV[4])
redis.call('ZADD', KEYS[2], version, name)
local latest = redis.call('ZSCORE', KEYS[3], name)
redis.call('ZADD', KEYS[3], math.max(expires, tonumber(latest) or 0), name)
local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')[2]
for i = 1, 3 do redis.call('EXPIREAT', KEYS[i], string.format('%.0f', tonumber(last) + 1)) end
return {'kept ' .. string.format('%.0f', expires) .. ' ' .. cutoff}`,
  sha1: 'aa09328ce3a1f4840189a2fea2acae0fa7c64225',
};

/**
 * Takes one entry back, and the hold of an account with it. KEYS: revocations, changes, the hold of each name. ARGV: the names it
 * may be kept under. Gives how many there were.
 */
export const REMOVE_REVOCATION: Script = {
  text: `local now = tonumber(redis.call('TIME')[1])
local removed = 0
for i, name in ipairs(ARGV) do
  local kept = redis.call('HGET', KEYS[1], name)
  redis.call('DEL', KEYS[i + 2])
  if kept then
    redis.call('HDEL', KEYS[1], name)
    redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[1], 'version', 1), name)
    if tonumber(string.match(kept, '^%d+')) > now then removed = removed + 1 end
  end
end
return removed`,
  sha1: '68d6f8d5319709c1c61a12482d615e08b9604f90',
};

/** Reads entries by name. KEYS: revocations. ARGV: names. Gives one text for each, `none` where none is in force. */
export const FIND_REVOCATIONS: Script = {
  text: `local now = tonumber(redis.call('TIME')[1])
local found = redis.call('HMGET', KEYS[1], unpack(ARGV))
local answer = {}
for i = 1, #ARGV do
  local kept = found[i]
  answer[i] = kept and tonumber(string.match(kept, '^%d+')) > now and (ARGV[i] .. ' ' .. kept) or 'none'
end
return answer`,
  sha1: '00dbe6b6a29574c3b8678d21d2e4d69100efea24',
};

/**
 * One page of the entries in force, in the order of their last change. KEYS: revocations, changes. ARGV: version after
 * which it begins, how many names to look at. Gives the version where it ended (0: nothing follows), then the entries.
 */
export const LIST_REVOCATIONS: Script = {
  text: `local now = tonumber(redis.call('TIME')[1])
local listed = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
if #listed == 0 then return {0} end
local names = {}
for i = 1, #listed, 2 do names[#names + 1] = listed[i] end
local found = redis.call('HMGET', KEYS[1], unpack(names))
local answer = {#names == tonumber(ARGV[2]) and tonumber(listed[#listed]) or 0}
for i, name in ipairs(names) do
  local kept = found[i]
  if kept and tonumber(string.match(kept, '^%d+')) > now then answer[#answer + 1] = name .. ' ' .. kept end
end
return answer`,
  sha1: 'c066b105457deb32e2661cb46f811316531cd33e',
};
