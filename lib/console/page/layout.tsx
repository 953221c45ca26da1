import type { Child } from 'hono/jsx';
import { clockTime, visible } from './format.ts';
import { SCRIPT_PATH } from './script.ts';
import { STYLE_PATH } from './style.ts';

/** What every page knows of who looks at it. */
export interface Viewer {
  readonly nonce: string;
  /** `production` or `development`. */
  readonly environment: string;
  /** Null: nobody is signed in. */
  readonly signedIn: {
    readonly name: string;
    readonly csrf: string;
    readonly untilSeconds: number;
    /** Whether this operator may revoke. */
    readonly mayAct: boolean;
  } | null;
}

const SCREENS = [
  ['/', 'Denied now'],
  ['/why', 'Why'],
  ['/health', 'Health'],
  ['/identities', 'Identities'],
  ['/revoke', 'Revoke'],
  ['/policy', 'Policy'],
  ['/audit', 'Audit'],
] as const;

/** One page of the console. */
export function Page(props: {
  readonly viewer: Viewer;
  readonly title: string;
  /** Path of the screen in the navigation. */
  readonly at: string;
  readonly children: Child;
}) {
  const { viewer, title, at, children } = props;
  const { signedIn, nonce } = viewer;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · authorizer console`}</title>
        <link rel="icon" href="/icon.svg" />
        <link rel="stylesheet" href={STYLE_PATH} nonce={nonce} />
        <script src={SCRIPT_PATH} nonce={nonce} defer></script>
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="top">
          <a class="brand" href="/">
            <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
              <path d="M8 1 2.5 3v4.6c0 3.4 2.3 5.9 5.5 7.4 3.2-1.5 5.5-4 5.5-7.4V3z" />
            </svg>
            <span>Authorizer console</span>
          </a>
          <span class={`tag ${viewer.environment === 'production' ? 'tag-strong' : ''}`}>{viewer.environment}</span>
          {signedIn && <Who signedIn={signedIn} />}
        </header>
        <div class={signedIn ? 'frame' : 'frame frame-alone'}>
          {signedIn && (
            <nav class="screens" aria-label="Screens">
              <ul>
                {SCREENS.map(([path, name]) => (
                  <li>
                    <a href={path} aria-current={path === at ? 'page' : undefined}>
                      {name}
                    </a>
                  </li>
                ))}
              </ul>
            </nav>
          )}
          <main id="main" tabindex={-1}>
            {children}
          </main>
        </div>
      </body>
    </html>
  );
}

function Who({ signedIn }: { readonly signedIn: NonNullable<Viewer['signedIn']> }) {
  const until = clockTime(signedIn.untilSeconds * 1000).slice(0, 5);
  return (
    <div class="who">
      <span class="who-name" title={visible(signedIn.name)}>
        {visible(signedIn.name, 40)}
      </span>
      <span class="quiet who-until">
        until <time data-session-end={signedIn.untilSeconds}>{until}</time> UTC
      </span>
      <form method="post" action="/sign-out">
        <input type="hidden" name="csrf" value={signedIn.csrf} />
        <button class="plain" type="submit">
          Sign out
        </button>
      </form>
    </div>
  );
}
