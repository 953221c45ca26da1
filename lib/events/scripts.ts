import type { Script } from '../redis/scripts.ts';
import { HELD_BEFORE_SECONDS } from '../revoke/holds.ts';

/**
 * Applies what one security event changes among the revocations, once. KEYS: revocations, changes, expiry, the event, then the
 * hold of each name. ARGV: details as JSON; for how many ms the event is remembered; for how many seconds a hold lasts, and
 * its release is remembered; then for each change the action, when the event happened, the cut-off or an empty string, when
 * that expires, how many names follow, and the names: the first is written, all are released. Gives one word.
 * A hold is `1 or 0, when it was said, cut-off, its expiry`: `holds.ts` says what these are for.
 */
export const APPLY_EVENT: Script = {
  text: `local time = redis.call('TIME')
local now, HELD = tonumber(time[1]), ${HELD_BEFORE_SECONDS}
if redis.call('EXISTS', KEYS[4]) == 1 then return {'repeated'} end
local details, holdFor, freeFor = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local dead = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 500)
if #dead > 0 then
  redis.call('HDEL', KEYS[1], unpack(dead))
  redis.call('ZREM', KEYS[2], unpack(dead))
  redis.call('ZREM', KEYS[3], unpack(dead))
end
local function whole(n) return string.format('%.0f', n) end
local function put(name, expires, before)
  redis.call('HSETNX', KEYS[1], 'epoch', time[1] .. string.format('%06d', time[2]))
  redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[1], 'version', 1), name)
  redis.call('HSET', KEYS[1], name, whole(expires) .. ' ' .. (before and whole(before) or '') .. ' ' .. details)
  redis.call('ZADD', KEYS[3], expires, name)
end
local function note(key, state, at, cut, ends, seconds)
  redis.call('SET', key, state .. ' ' .. whole(at) .. ' ' .. whole(cut) .. ' ' .. whole(ends), 'EX', whole(seconds))
end
local a, k, changed = 5, 5, false
while a <= #ARGV do
  local action, at, before, expires = ARGV[a], tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local names = tonumber(ARGV[a + 4])
  for n = 1, names do
    local name, key = ARGV[a + 4 + n], KEYS[k]
    k = k + 1
    local state, since, cut, ends = string.match(redis.call('GET', key) or '', '^(%d) (%d+) (%d+) (%d+)$')
    since, cut, ends = tonumber(since), tonumber(cut), tonumber(ends)
    local held = state == '1'
    if action == 'free' then
      if held and at >= since then
        if ends > now then
          put(name, ends, cut)
        else
          redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[1], 'version', 1), name)
          redis.call('HDEL', KEYS[1], name)
          redis.call('ZREM', KEYS[3], name)
        end
        note(key, '0', at, 0, 0, freeFor)
        changed = true
      elseif n == 1 and not held and (not state or at > since) then
        note(key, '0', at, 0, 0, freeFor)
      end
    elseif n == 1 then
      local e, b = string.match(redis.call('HGET', KEYS[1], name) or '', '^(%d+) (%d*)')
      e, b = tonumber(e), tonumber(b)
      if e and e <= now then e, b = nil, nil end
      if b == HELD then b = nil end
      if action == 'hold' and (not state or at >= since) then
        if not held then cut, ends = b or 0, b and e or 0 end
        put(name, now + holdFor, HELD)
        note(key, '1', at, math.max(cut, before), math.max(ends, expires), holdFor)
        changed = true
      elseif action == 'hold' or held then
        if held and (before > cut or expires > ends) then
          note(key, '1', since, math.max(cut, before), math.max(ends, expires), holdFor)
          changed = true
        end
      elseif expires > now then
        if e then
          expires = math.max(expires, e)
          if before then before = math.max(before, b or 0) end
        end
        put(name, expires, before)
        changed = true
      end
    end
  end
  a = a + 5 + names
end
redis.call('SET', KEYS[4], '1', 'PX', ARGV[2])
local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')[2]
if last then
  for i = 1, 3 do redis.call('EXPIREAT', KEYS[i], whole(tonumber(last) + 1)) end
end
return {changed and 'applied' or 'unchanged'}`,
  sha1: '8f3ccdf0774bc58e08f579054cdb62216b9742c0',
};
