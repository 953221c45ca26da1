import type { Context } from 'hono';
import type { Child } from 'hono/jsx';
import { Hono } from 'hono/tiny';
import { readBounded } from '../codec/bounded-body.ts';
import type { Composed } from '../compose/authorizer.ts';
import type { Decision } from '../decision/outcome.ts';
import type { RequestContext } from '../decision/ports.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest } from '../decision/request.ts';
import { codeOf, statusOf } from '../respond/denial.ts';
import { newVerificationMemo, type VerificationMemo } from './audit/verification.ts';
import { createDesk, type Desk, operatorScopes } from './desk.ts';
import { healthOf } from './health/facts.ts';
import { archiveSeconds } from './health/view.tsx';
import { assetAt } from './page/assets.ts';
import { newNonce, pageFields } from './page/headers.ts';
import { Page, type Viewer } from './page/layout.tsx';
import { Denied, Plain } from './page/refusals.tsx';
import type { ConsoleHost } from './ports.ts';
import { screens } from './screens.tsx';
import { endSession, exchange, isSignedOut } from './session/exchange.ts';
import { isFromOwnPage, isSame, originOf } from './session/origin.ts';
import { cookieIn, type Session, sessionCookie, sessionOf } from './session/session.ts';
import { SignIn, type SignInNote } from './session/sign-in.tsx';
import type { Shown, Visit } from './visit.ts';

const MAXIMUM_FORM_BYTES = 64 * 1024;

/** One request while it is answered. */
interface Request_<Bindings extends object> {
  readonly host: ConsoleHost<Bindings>;
  readonly bindings: Bindings;
  readonly desk: Desk;
  readonly verification: VerificationMemo;
  readonly access: AccessRequest;
  readonly context: RequestContext;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly nonce: string;
  readonly nowMs: number;
}

/** The pages of the console. Every view and action is decided by our own pipeline and recorded before it is answered. */
export function createConsole<Bindings extends object>(host: ConsoleHost<Bindings>) {
  const app = new Hono<{ Bindings: Bindings }>({ getPath: () => '/' });
  const desks = new WeakMap<Composed, Desk>();
  const verification = newVerificationMemo();
  const deskOf = (composed: Composed): Desk => {
    const desk = desks.get(composed) ?? createDesk(composed);
    desks.set(composed, desk);
    return desk;
  };
  // Whatever went wrong is ours, and tells nothing of itself.
  app.onError(() => plain(503, 'The console failed to answer this. The log may tell more.'));
  app.all('*', async (c) => {
    const target = host.rawTarget(c.req.raw, c.env);
    const [path = '/', query = ''] = splitTarget(target);
    const asset = assetAt(path);
    if (asset !== null) return asset;
    const { context, ...received } = host.received(c.req.raw, c.env, c);
    const composed = await host.composed(c.env, context);
    if (composed === null) return plain(503, 'The configuration is invalid. The log names every problem.');
    const request: Request_<Bindings> = {
      host,
      bindings: c.env,
      desk: deskOf(composed),
      verification,
      access: { door: 'gateway', method: c.req.raw.method, ...received },
      context,
      path,
      query: new URLSearchParams(query),
      nonce: newNonce(),
      nowMs: host.clock(),
    };
    return answer(request, c);
  });
  return app;
}

function splitTarget(target: string): readonly [string, string] {
  const at = target.indexOf('?');
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function plain(status: number, text: string): Response {
  const nonce = newNonce();
  const headers = new Headers([...pageFields(nonce)] as [string, string][]);
  headers.set('content-type', 'text/plain; charset=utf-8');
  return new Response(`${text}\n`, { status, headers });
}

/** From who may ask at all, over the session, to the screen. */
async function answer<B extends object>(request: Request_<B>, c: Context): Promise<Response> {
  const { access, desk, path } = request;
  const { settings } = desk.composed.config;
  const origin = originOf(access, settings.consoleUrl);
  if (origin === null) return plain(421, 'This console does not answer under that host name: see TGEFD_CONSOLE_URL.');
  const isPost = access.method === 'POST';
  if (isPost && !isFromOwnPage(access, origin))
    return plain(403, 'This request was not made by a page of the console.');
  const form = isPost ? await formOf(c.req.raw) : new URLSearchParams();
  if (form === null) return plain(413, 'The form is too long, or is none.');
  if (path === '/sign-in') return signIn(request, form);

  const session = await sessionOf(access.headers, desk.seal, request.nowMs / 1000);
  if (session === null || (await isSignedOut(desk, session)))
    return toSignIn(request, cookieIn(access.headers) !== null);
  if (isPost && !isSame(form.get('csrf') ?? '', session.csrf))
    return plain(403, 'This form belongs to another session. Go back and load the page again.');
  const { decision, denial } = await desk.decide(access, session.principal, request.context);
  if (denial !== null) return refused(request, session, denial);
  if (path === '/sign-out') {
    await endSession(desk, session, request.nowMs / 1000);
    return redirect('/sign-in?out', sessionCookie(null));
  }
  const screen = screens.get(`${access.method === 'HEAD' ? 'GET' : access.method} ${path}`);
  if (screen === undefined) return page(request, session, { title: 'Not here', at: '', status: 404, body: <Plain /> });
  const shown = await screen(visitOf(request, session, decision, form));
  return shown instanceof Response ? shown : page(request, session, shown);
}

function visitOf<B extends object>(
  { host, bindings, desk, verification, context, query, nowMs }: Request_<B>,
  session: Session,
  decision: Decision,
  form: URLSearchParams,
): Visit {
  const { clock, newId, sleep, stopping, live } = host;
  return {
    desk,
    session,
    decision,
    context,
    mayAct: mayAct(desk, session),
    query,
    form,
    nowMs,
    live,
    verification,
    ports: { clock, newId, sleep, stopping },
    archive: () => host.archive(desk.composed.config, bindings),
  };
}

function mayAct(desk: Desk, { principal }: Session): boolean {
  return operatorScopes(principal, desk.composed).includes(desk.composed.config.settings.scopeRevoke);
}

async function formOf(request: Request): Promise<URLSearchParams | null> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return null;
  const bytes = await readBounded(request.body, MAXIMUM_FORM_BYTES);
  return bytes && new URLSearchParams(new TextDecoder().decode(bytes));
}

async function signIn<B extends object>(request: Request_<B>, form: URLSearchParams): Promise<Response> {
  const { access, desk, query, nowMs } = request;
  if (access.method !== 'POST') {
    const note = query.has('over') ? 'over' : query.has('out') ? 'out' : 'none';
    return signInPage(request, { note }, 200);
  }
  const outcome = await exchange(desk, access, form.get('token') ?? '', request.context, nowMs / 1000);
  if ('sealed' in outcome) return redirect('/', sessionCookie(outcome.sealed));
  const { denial } = outcome;
  const scope = denial.reason === 'scope_missing' ? denial.scope : null;
  return signInPage(
    request,
    { note: 'refused', status: statusOf(denial), code: codeOf(denial), scope },
    statusOf(denial),
  );
}

function signInPage<B extends object>(request: Request_<B>, note: SignInNote, status: number): Promise<Response> {
  const { config } = request.desk.composed;
  const body = (
    <SignIn
      note={note}
      scope={config.settings.scopeConsole}
      takesTokens={config.ways.some((way) => way === 'jwt' || way === 'api_key')}
      opensLinks={config.settings.environment === 'development'}
    />
  );
  return page(request, null, { title: 'Sign in', at: '', body, status });
}

/** Nobody is signed in. A script is told so by 401, a person by the page where they can. */
function toSignIn<B extends object>({ path }: Request_<B>, hadSession: boolean): Response {
  if (path === '/live') return new Response(null, { status: 401, headers: { 'cache-control': 'no-store' } });
  return redirect(hadSession ? '/sign-in?over' : '/sign-in', hadSession ? sessionCookie(null) : null);
}

function redirect(location: string, cookie: string | null): Response {
  const headers = new Headers({ location, 'cache-control': 'no-store' });
  if (cookie !== null) headers.append('set-cookie', cookie);
  return new Response(null, { status: 303, headers });
}

/** A denial of the pipeline. In an outage of ours Health is shown all the same: it holds nothing of any caller. */
async function refused<B extends object>(request: Request_<B>, session: Session, denial: Reason): Promise<Response> {
  const status = statusOf(denial);
  if (request.path === '/live') return new Response(null, { status, headers: { 'cache-control': 'no-store' } });
  if (status === 401) return redirect('/sign-in?over', sessionCookie(null));
  const facts = status >= 500 ? await healthOf(request.desk, request.nowMs) : null;
  const body = <Denied denial={denial} facts={facts} archiveSeconds={archiveSeconds(request.desk)} />;
  return page(request, session, {
    title: facts === null ? 'Not allowed' : 'Health',
    at: facts === null ? '' : '/health',
    status,
    body,
  });
}

async function page<B extends object>(request: Request_<B>, session: Session | null, shown: Shown): Promise<Response> {
  const { nonce, desk, access } = request;
  const viewer: Viewer = {
    nonce,
    environment: desk.composed.config.settings.environment,
    signedIn: session && {
      name: session.principal.subject || 'no name',
      csrf: session.csrf,
      untilSeconds: session.expiresAtSeconds,
      mayAct: mayAct(desk, session),
    },
  };
  const markup = await rendered(
    <Page viewer={viewer} title={shown.title} at={shown.at}>
      {shown.body}
    </Page>,
  );
  const headers = new Headers([...pageFields(nonce), ...desk.composed.gateway.transportFields(access.hop.secure)] as [
    string,
    string,
  ][]);
  headers.set('content-type', 'text/html; charset=utf-8');
  return new Response(`<!doctype html>${markup}`, { status: shown.status ?? 200, headers });
}

async function rendered(markup: Child): Promise<string> {
  return String(await markup);
}
