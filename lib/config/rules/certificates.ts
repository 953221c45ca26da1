import type { Check } from './check.ts';

/** Rules about where client certificates are read from. */
export function checkCertificates({ settings, given, place, ways, problem, warning }: Check): void {
  const { mtlsSources: sources, mtlsCaFile } = settings;
  if (sources.includes('traefik') && mtlsCaFile === null)
    problem(
      'mtlsCaFile',
      'nothing',
      'a file, since TGEFD_MTLS_SOURCES lists `traefik`, whose certificates nobody verified',
    );
  if (sources.includes('traefik') && place.platform !== 'node' && place.platform !== 'cli')
    problem('mtlsSources', '`traefik`', 'a source that needs no file here: `traefik` counts on Node only');
  if (mtlsCaFile !== null && !sources.includes('traefik'))
    problem('mtlsCaFile', 'a value', 'a value only where TGEFD_MTLS_SOURCES lists `traefik`');
  if (given.has('xfccHops') && !sources.includes('xfcc'))
    problem('xfccHops', String(settings.xfccHops), 'a number only where TGEFD_MTLS_SOURCES lists `xfcc`');
  if (sources.length === 0 && ways.includes('mtls'))
    warning(
      'mtlsSources',
      'an empty list',
      'at least one source, unless callers connect by TLS to the authorizer itself',
    );
}
