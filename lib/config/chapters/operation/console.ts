import { integer, scope, text, url } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Console” of the configuration. */
export const operatorConsole = {
  consolePort: setting({
    name: 'TGEFD_CONSOLE_PORT',
    only: 'node',
    kind: integer(0, 65_535),
    fallback: null,
    meaning:
      'Port of the console for operators, see `docs/guides/console.md`. Not given: no console. 0: any free port; the log names it.',
  }),
  consoleHost: setting({
    name: 'TGEFD_CONSOLE_HOST',
    only: 'node',
    kind: text('a host name or an address'),
    fallback: '127.0.0.1',
    meaning:
      'Address on which the console listens. An address that is not loopback needs `TGEFD_CONSOLE_URL`. The console uses the certificate of `TGEFD_TLS_CERT_FILE` too.',
  }),
  consoleUrl: setting({
    name: 'TGEFD_CONSOLE_URL',
    kind: url,
    fallback: null,
    meaning:
      'Origin under which browsers reach the console, such as `https://console.example.com`. A request with another host is refused. Not given: loopback names only.',
  }),
  scopeConsole: setting({
    name: 'TGEFD_SCOPE_CONSOLE',
    kind: scope,
    fallback: 'console',
    meaning: 'Scope that opens the console. `*` does not include it, except through the admin role.',
  }),
} as const;
