import { createSecureContext, type SecureContext } from 'node:tls';
import type { Problem } from '../../../config/problem.ts';
import { variables } from '../../../config/variables.ts';
import type { Log } from '../../../decision/ports.ts';
import { filesIn, namedFile, readTlsFiles, type TlsFiles, watchTlsFiles } from './tls-files.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** As whom the process calls, and whose word it takes for who answers, host by host. */
export interface ClientTls {
  /** Files that cannot be used: the hosts that are called by them are not believed, whoever answers. */
  readonly problems: readonly Problem[];
  /** For connections that are made to this host now (`URL.host`): null is no certificate, and the system's authorities. */
  contextOf(host: string): SecureContext | null;
  /** Calls back once contexts are others. */
  onChange(changed: () => void): void;
  /** Reads the files again whenever they change; what cannot be used changes nothing, and is said once. */
  watch(log: Log): void;
}

/**
 * Reads the files that `TGEFD_UPSTREAM_TLS_*` and `TGEFD_INTERNAL_TLS_*` name, straight from the environment, since Vault is
 * called before the configuration as a whole is known. The upstream's own files come first where its host is listed too.
 * What else is wrong with the variables is `loadConfig`'s to tell.
 */
export function createClientTls(env: Env): ClientTls {
  const file = (key: FileKey) => namedFile(variables[key].name, env[variables[key].name]);
  const upstream = {
    certificate: file('upstreamTlsCertificateFile'),
    key: file('upstreamTlsKeyFile'),
    authorities: file('upstreamTlsCaFile'),
    revocationLists: null,
  };
  const internal = {
    certificate: file('internalTlsCertificateFile'),
    key: file('internalTlsKeyFile'),
    authorities: file('internalTlsCaFile'),
    revocationLists: null,
  };
  const listeners: (() => void)[] = [];
  const ends = new Map<string, End>();
  const add = (files: TlsFiles, urls: readonly string[]) => {
    const hosts = urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).host);
    if (hosts.length === 0 || filesIn(files).length === 0) return;
    const first = readTlsFiles(files);
    const end: End = first.ok
      ? { files, context: first.context, problem: null }
      : { files, context: createSecureContext({ ca: [] }), problem: first.problem }; // No authority: nobody is believed.
    for (const host of hosts) ends.set(host, end);
  };
  const listed = (env[variables.internalTlsHosts.name] ?? '').split(/[\s,]+/).filter((host) => host !== '');
  add(
    internal,
    listed.map((host) => `https://${host}`),
  );
  add(upstream, [env[variables.upstreamUrl.name] ?? '']);

  const distinct = () => new Set(ends.values());
  return {
    problems: [...distinct()].flatMap(({ problem }) => problem ?? []),
    contextOf: (host) => ends.get(host)?.context ?? null,
    onChange: (changed) => void listeners.push(changed),
    watch(log) {
      for (const end of distinct()) {
        const named = filesIn(end.files).map(({ variable }) => variable);
        watchTlsFiles(end.files, log, 'client_tls_reload_failed', ({ context }) => {
          end.context = context;
          for (const changed of listeners) changed();
          log('info', 'client_tls_reloaded', { variables: named.join(' ') });
        });
      }
    },
  };
}

type FileKey = `${'upstream' | 'internal'}Tls${'Certificate' | 'Key' | 'Ca'}File`;

interface End {
  readonly files: TlsFiles;
  readonly problem: Problem | null;
  context: SecureContext;
}
