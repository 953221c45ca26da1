/* Imports every example of the library guide beside this file, calls it without a token and with one, and prints the statuses. */

const { TOKEN } = process.env;
const execution = { waitUntil: () => undefined, passThroughOnException: () => undefined };
const authorization = `Bearer ${TOKEN}`;
const asked = (headers) => new Request('http://127.0.0.1:3000/orders/7', { headers });
const both = async (call) => [await call({}), await call({ authorization })];
const statuses = {};

for (const name of ['app', 'worker', 'service']) {
  const { default: made } = await import(`./${name}.ts`);
  statuses[name] = await both(async (headers) => (await made.fetch(asked(headers), process.env, execution)).status);
}

const { default: options } = await import('./options.ts');
statuses.options = (await options.fetch(asked({}))).status;

const { server } = await import('./decide.ts');
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}/orders/7`;
statuses.decide = await both(async (headers) => (await fetch(url, { headers })).status);

const { handler } = await import('./lambda.ts');
const event = (headers) => ({
  type: 'REQUEST',
  methodArn: 'arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/GET/orders/7',
  resource: '/orders/{id}',
  path: '/orders/7',
  httpMethod: 'GET',
  headers,
  multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
  requestContext: { identity: { sourceIp: '192.0.2.1' }, path: '/prod/orders/7', stage: 'prod', httpMethod: 'GET' },
});
statuses.lambda = await both((headers) =>
  handler(event(headers)).then(
    ({ policyDocument }) => policyDocument.Statement[0].Effect,
    ({ message }) => message,
  ),
);

console.log(`\n${JSON.stringify(statuses)}`);
process.exit(0);
