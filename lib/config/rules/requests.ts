import { type Check, isLoopback } from './check.ts';

/** Rules about the way of a request: the upstream, its assertion, TLS at both ends, and browsers. */
export function checkRequests(check: Check): void {
  checkUpstream(check);
  checkAssertion(check);
  checkTls(check);
  if (check.settings.corsAllowedHeaders.length > 0 && check.settings.corsAllowedOrigins.length === 0)
    check.problem('corsAllowedHeaders', 'a value', 'a value only beside TGEFD_CORS_ALLOWED_ORIGINS');
}

/** Where allowed requests go. */
function checkUpstream({ settings, place, problem, secure }: Check): void {
  const upstream = settings.upstreamUrl;
  if (upstream) {
    if (upstream.pathname !== '/' || upstream.search !== '')
      problem('upstreamUrl', 'a path or query', 'an origin: scheme, host and port');
    secure(
      'upstreamUrl',
      upstream,
      isLoopback(upstream) || settings.upstreamAllowHttp,
      ', http: on a loopback host, or TGEFD_UPSTREAM_ALLOW_HTTP=true',
    );
  } else if (
    place.role === 'gateway' &&
    (place.platform === 'worker' || place.platform === 'node') &&
    settings.forwardAuth === 'off' &&
    !place.upstreamBinding
  ) {
    problem(
      'upstreamUrl',
      'nothing',
      'an origin, unless TGEFD_FORWARD_AUTH is on' +
        (place.platform === 'worker' ? ' or the service binding UPSTREAM exists' : ''),
    );
  }
}

/** An assertion needs an audience. */
function checkAssertion({ settings, place, problem }: Check): void {
  if (settings.assertionProfile !== 'tgefd' && !settings.assertionKey)
    problem('assertionProfile', `\`${settings.assertionProfile}\``, 'a profile only beside TGEFD_ASSERTION_KEY');
  if (settings.assertionKey && !settings.upstreamUrl && !(settings.issuerUrl && place.role === 'archive'))
    problem(
      'assertionKey',
      'a value',
      'a value only beside TGEFD_UPSTREAM_URL, whose origin is the audience of the assertion',
    );
}

/** Certificates come with their keys. */
function checkTls({ settings, problem }: Check): void {
  for (const end of ['tls', 'upstreamTls'] as const) {
    const [certificate, key] = [`${end}CertificateFile`, `${end}KeyFile`] as const;
    if (Boolean(settings[certificate]) !== Boolean(settings[key]))
      problem(settings[certificate] ? key : certificate, 'nothing', 'both the certificate and its key, or neither');
  }
  if (settings.tlsClientCaFile && !settings.tlsCertificateFile)
    problem('tlsClientCaFile', 'a value', 'a value only beside TGEFD_TLS_CERT_FILE');
  if (settings.tlsClientCrlFile && !settings.tlsClientCaFile)
    problem('tlsClientCrlFile', 'a value', 'a value only beside TGEFD_TLS_CLIENT_CA_FILE');
}
