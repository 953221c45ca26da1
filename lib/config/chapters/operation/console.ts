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
      'Port of the console, a page for operators: see `docs/guides/console.md`. Not given: no console. 0: any free port, which the log names.',
  }),
  consoleHost: setting({
    name: 'TGEFD_CONSOLE_HOST',
    only: 'node',
    kind: text('a host name or an address'),
    fallback: '127.0.0.1',
    meaning:
      'Address on which the console listens. Any but a loopback address needs `TGEFD_CONSOLE_URL`. The certificate of `TGEFD_TLS_CERT_FILE` serves here too.',
  }),
  consoleUrl: setting({
    name: 'TGEFD_CONSOLE_URL',
    kind: url,
    fallback: null,
    meaning:
      'Origin under which browsers reach the console, such as `https://console.example.com`; a request that names another host is refused. Not given: loopback names only.',
  }),
  scopeConsole: setting({
    name: 'TGEFD_SCOPE_CONSOLE',
    kind: scope,
    fallback: 'console',
    meaning: 'Scope that opens the console. `*` does not include it unless held through the admin role.',
  }),
} as const;
