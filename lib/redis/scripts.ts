/**
 * The scripts that Redis runs for us. Each is one atomic step on the server that holds the truth, by the server's clock, so
 * that clocks of isolates cannot disagree about a budget. They read and write the keys they are given and no others, and
 * run on any Redis from 5 up: without Upstash's `allow-key-locking`, which stock Redis refuses and which would gain
 * nothing here, since all decisions share the key of the revocations.
 */

import {
  LEASE_HORIZON_MS,
  LEASE_WINDOW_MS,
  NEVER_LEASED,
  PARTS_PER_TOKEN,
  SLOW_BELOW_PER_MINUTE,
} from '../limit/budgets.ts';

export interface Script {
  readonly text: string;
  /** SHA-1 of the text in hexadecimal, by which EVALSHA calls it; a test holds the two together. */
  readonly sha1: string;
}

/** Changes handed out with one trip; the next trip brings the rest. */
export const CHANGES_PER_TRIP = 500;

/**
 * The one trip of a decision: is a credential revoked, was its proof used before, have all budgets a token, what has changed
 * among the revocations?
 *
 * KEYS: revocations, their changes, then one per budget. ARGV: `iat` or an empty string; the version of the revocations
 * that the caller has, or `-` when it does not want to know; how many names to look up; the names; then for each budget
 * perMinute, burst, need, want, window, used, left, back (`Demand`), and 1 where its period is the day, 2 the month, else 0.
 * With a proof that counts once, its key is the last of KEYS, and the decision that uses it and its lifetime in ms are the
 * last of ARGV.
 * Gives `{1, index of the name that revokes}`, `{3, 0}` for a proof that another decision used, or `{0 allowed | 2 refused, server's ms, parts missing and tokens granted
 * for each budget…}` and, where there was something to tell, the changes as one text of lines: `v`, version now (`0`: none),
 * version up to which these changes go, whether they replace all that is known; then `name expiry cut-off` for an entry
 * that is there or `name` for one that is not.
 *
 * The budgets' arithmetic is `settle` of budgets.ts, step by step: see there for what it does and why.
 */
export const ADMIT: Script = {
  text: `local P, WINDOW, AHEAD = ${PARTS_PER_TOKEN}, ${LEASE_WINDOW_MS}, ${LEASE_HORIZON_MS}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local issued, known, names = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local changes = nil

if names > 0 or known ~= '-' then
  local look = {'epoch', 'version'}
  for i = 1, names do look[i + 2] = ARGV[i + 3] end
  local found = redis.call('HMGET', KEYS[1], unpack(look))
  for i = 1, names do
    if found[i + 2] then
      local expires, before = string.match(found[i + 2], '^(%d+) (%d*)')
      before = tonumber(before)
      if tonumber(expires) * 1000 > now and (not before or not issued or issued < before) then return {1, i} end
    end
  end
  local version = found[1] and (found[1] .. '.' .. found[2]) or '0'
  if known ~= '-' and known ~= version then
    local epoch, since = string.match(known, '^(%d+)%.(%d+)$')
    local replace = epoch ~= found[1]
    if replace then since = '0' end
    local listed = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, ${CHANGES_PER_TRIP})
    local fields = {}
    for i = 1, #listed, 2 do fields[#fields + 1] = listed[i] end
    local upto = version
    local lines = {}
    if #fields > 0 then
      if #fields == ${CHANGES_PER_TRIP} then upto = found[1] .. '.' .. listed[#listed] end
      local values = redis.call('HMGET', KEYS[1], unpack(fields))
      for i, field in ipairs(fields) do
        local expires, before = string.match(values[i] or '', '^(%d+) (%d*)')
        lines[i] = expires and (field .. ' ' .. expires .. ' ' .. before) or field
      end
    end
    table.insert(lines, 1, 'v ' .. version .. ' ' .. upto .. ' ' .. (replace and '1' or '0'))
    changes = table.concat(lines, '\\n')
  end
end

local count = math.floor((#ARGV - 3 - names) / 9)
if #KEYS > count + 2 then
  local by = ARGV[#ARGV - 1]
  if not redis.call('SET', KEYS[#KEYS], by, 'NX', 'PX', ARGV[#ARGV]) and redis.call('GET', KEYS[#KEYS]) ~= by then
    return {3, 0}
  end
end

local function decay(missing, parts, leased) return math.max(missing - parts, leased * P, 0) end

local DAY = 86400000
local function period(kind, ms)
  local z = math.floor(ms / DAY)
  if kind == 1 then return z, (z + 1) * DAY end
  z = z + 719468
  local doe = z % 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day = doy - math.floor((153 * mp + 2) / 5)
  return (math.floor(z / 146097) * 400 + yoe) * 12 + mp, ms + (32 - day) * DAY
end

local buckets, allowed = {}, true
for i = 1, count do
  local a = 3 + names + (i - 1) * 9
  local b = {rate = tonumber(ARGV[a + 1]), burst = tonumber(ARGV[a + 2]), need = tonumber(ARGV[a + 3]),
    want = tonumber(ARGV[a + 4]), window = tonumber(ARGV[a + 5]), missing = 0, at = now, before = 0, present = 0, hb = 0, hn = 0}
  local used, left, back = tonumber(ARGV[a + 6]), tonumber(ARGV[a + 7]), tonumber(ARGV[a + 8])
  b.kind = tonumber(ARGV[a + 9])
  local m, at, lb, ln, hb, hn = string.match(redis.call('GET', KEYS[i + 2]) or '', '^(-?%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  if m and (b.kind == 0 or period(b.kind, tonumber(at)) == period(b.kind, math.max(now, tonumber(at)))) then
    b.missing, b.at, b.before, b.present, b.hb, b.hn = tonumber(m), tonumber(at), tonumber(lb), tonumber(ln), tonumber(hb), tonumber(hn)
    local to = math.max(now, b.at)
    for _ = 1, 2 do
      local turn = (math.floor(b.at / WINDOW) + 1) * WINDOW
      if turn <= to then
        if b.kind == 0 then b.missing = decay(b.missing, (turn - b.at) * b.rate, b.before + b.present) end
        b.at, b.before, b.present, b.hb, b.hn = turn, b.present, 0, b.hn, 0
      end
    end
    if b.kind == 0 then b.missing = decay(b.missing, (to - b.at) * b.rate, b.before + b.present) end
    b.at = to
  elseif m then
    b.at = math.max(now, tonumber(at))
  end
  b.turn = math.floor(b.at / WINDOW)
  if b.window == b.turn then
    local unused = math.max(0, b.present - used)
    local returned = math.min(unused, back)
    b.present, b.missing = unused - returned, b.missing - returned * P
  elseif b.window == b.turn - 1 then
    local gone = math.min(b.before, used + left + back)
    local unused = math.max(0, gone - used)
    local returned = math.min(unused, back)
    b.before, b.present, b.missing = b.before - gone, b.present + unused - returned, b.missing - returned * P
  end
  if b.need > 0 and math.floor(b.burst - b.missing / P) < b.need then allowed = false end
  buckets[i] = b
end

local answer = {allowed and 0 or 2, now}
for i, b in ipairs(buckets) do
  if allowed then b.missing = b.missing + b.need * P end
  local granted = 0
  if b.want > 0 then
    if b.window ~= b.turn then b.hn = b.hn + 1 end
    local sharers = math.max(b.hn, b.hb, 1)
    local kept = b.rate < ${SLOW_BELOW_PER_MINUTE} and ${NEVER_LEASED} or b.window == -1 and math.floor(b.burst / 2) or 0
    local spare = math.floor(math.max(0, math.floor(b.burst - b.missing / P) - kept) / (2 * sharers))
    local share = math.floor(b.rate * AHEAD / (P * sharers))
    local horizon = math.floor((b.burst * P - b.missing + b.rate * AHEAD) / P)
    granted = math.max(0, math.min(b.want, math.max(spare, math.min(share, horizon)), b.burst - b.before - b.present))
    b.missing, b.present = b.missing + granted * P, b.present + granted
  end
  if b.missing ~= 0 then
    local ttl
    if b.kind == 0 then
      ttl = math.ceil(b.missing / b.rate) + (b.before + b.present > 0 and 2 * WINDOW or 0)
    else
      local _, ends = period(b.kind, b.at)
      ttl = ends - b.at
    end
    local kept = string.format('%.0f %.0f %.0f %.0f %.0f %.0f', b.missing, b.at, b.before, b.present, b.hb, b.hn)
    redis.call('SET', KEYS[i + 2], kept, 'PX', string.format('%.0f', ttl))
  else
    redis.call('DEL', KEYS[i + 2])
  end
  answer[2 * i + 1], answer[2 * i + 2] = b.missing, granted
end
if changes then answer[#answer + 1] = changes end
return answer`,
  sha1: '2b4e0bdb38b9fb82fd7b59c3f694ea7e670f1d31',
};

/**
 * Gives an operator's tokens to one quota. KEYS: its bucket. ARGV: the parts that are no longer missing, and the milliseconds
 * that a bucket lives which is not there yet. What is missing may become less than nothing: then there is more than the quota.
 */
export const GRANT_TOKENS: Script = {
  text: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept = redis.call('GET', KEYS[1])
local missing, rest = string.match(kept or '', '^(-?%d+) (.*)$')
local ttl = tonumber(ARGV[2])
if missing then ttl = redis.call('PTTL', KEYS[1]) else missing, rest = 0, string.format('%.0f 0 0 0 0', now) end
local left = tonumber(missing) - tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', left) .. ' ' .. rest, 'PX', string.format('%.0f', ttl))
return 1`,
  sha1: 'a248bf6080794a363529f9736ec170a2175447fe',
};
