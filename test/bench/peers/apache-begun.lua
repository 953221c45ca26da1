-- mod_auth_openidc checks `exp` and leaves `nbf` alone.
require 'apache2'

function begun(r)
  local nbf = tonumber(r.subprocess_env['OIDC_CLAIM_nbf'])
  if nbf == nil or nbf <= os.time() then
    return apache2.AUTHZ_GRANTED
  end
  return apache2.AUTHZ_DENIED
end
