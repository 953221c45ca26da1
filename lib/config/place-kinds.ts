import * as z from 'zod/mini';
import { type Kind, kind, words } from './kinds.ts';

/** A host name or address, perhaps with a port. */
const host = /^(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/;

function httpsUrl(name: string) {
  return `https://${name}`;
}

/** Where Redis is: its REST endpoint, or `rediss:` and `redis:` over TCP with the number of a database as path at most. */
export const redisUrl: Kind<URL> = kind(
  'an absolute `https:` URL (REST), or `rediss:` on Node and Lambda, without user name and password: these belong in TGEFD_REDIS_USERNAME and TGEFD_REDIS_TOKEN',
  () =>
    z.pipe(
      z.string().check(
        z.refine((value: string) => {
          if (/[\s\p{Cc}]/u.test(value) || !URL.canParse(value)) return false;
          const { protocol, username, password, hash, search, host, pathname } = new URL(value);
          if (username + password + hash !== '') return false;
          if (protocol === 'https:' || protocol === 'http:') return true;
          // Hosts of schemes that browsers do not know are not checked by URL.
          const isHost = host !== '' && URL.canParse(`https://${host}`) && !host.includes('%');
          return /^rediss?:$/.test(protocol) && isHost && search === '' && /^(\/\d{0,3})?$/.test(pathname);
        }),
      ),
      z.transform((value: string) => new URL(value.startsWith('redis') ? value.toLowerCase() : value)),
    ),
);

/** Hosts with their ports, separated by commas; `port` where none is written. */
export function places(port: number): Kind<readonly string[]> {
  const urlOf = (item: string) => `http://${item}`;
  return kind('hosts with their ports (`redis-1:6379`), separated by commas', () =>
    z.pipe(
      words('', host).schema.check(z.refine((items) => items.every((item) => URL.canParse(urlOf(item))))),
      z.transform((items: readonly string[]) =>
        items.map((item) => `${new URL(urlOf(item)).hostname}:${/:(\d+)$/.exec(item)?.[1] ?? port}`),
      ),
    ),
  );
}

/** Hosts as `URL.host` writes them: in lower case, the port left out where it is 443. */
export const hosts: Kind<readonly string[]> = kind(
  'host names, with a port where it is not 443, separated by commas',
  () =>
    z.pipe(
      words('', host).schema.check(z.refine((names) => names.every((name) => URL.canParse(httpsUrl(name))))),
      z.transform((names: readonly string[]) => names.map((name) => new URL(httpsUrl(name)).host)),
    ),
);
