// Signs each request for the gateway (nginx with njs). Explained in ../explanation/trust-boundary.md, "The signed ingress proof".
import crypto from 'crypto';
import fs from 'fs';

const secret = fs.readFileSync('/etc/nginx/tgefd-ingress-secret', 'utf8').trim();

// The value of `proxy_set_header Host`.
const host = 'gateway.example.com';

// Every covered field that this nginx sends and the variable it is set to, sorted by name.
const fields = [
  ['ssl-client-cert', 'ssl_client_escaped_cert'],
  ['ssl-client-subject-dn', 'ssl_client_s_dn'],
  ['ssl-client-verify', 'ssl_client_verify'],
  ['x-forwarded-for', 'remote_addr'],
  ['x-forwarded-host', 'host'],
  ['x-forwarded-proto', 'scheme'],
  ['x-request-id', 'request_id'],
];

function sign(r) {
  const time = Math.floor(Date.now() / 1000);
  const nonce = r.variables.request_id;
  const lines = ['tgefd-ingress-proof v1', time, nonce, r.method, r.variables.request_uri, host];
  fields.forEach((field) => {
    // nginx leaves a field out that is set to nothing, and then it has no line.
    const value = r.variables[field[1]];
    if (value) lines.push(`${field[0]}: ${value}`);
  });
  const signature = crypto.createHmac('sha256', secret).update(lines.join('\n')).digest('base64url');
  return `v1;t=${time};n=${nonce};s=${signature}`;
}

export default { sign };
