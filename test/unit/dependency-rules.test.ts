import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dependencyFaults } from '../support/dependency-rules.ts';

const ROOT = dirname(dirname(import.meta.dirname));

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`);
}

describe('who may import what', () => {
  it.each([...sources('lib'), ...sources('functions'), ...sources('infra')])('%s', (path) => {
    expect(dependencyFaults(path, readFileSync(join(ROOT, path), 'utf8'))).toEqual([]);
  });
});

describe('the rules themselves', () => {
  it.each<[path: string, source: string, fault: string]>([
    [
      'lib/authorize/policy.ts',
      "import { x } from '../authenticate/keys.ts';",
      'room authorize imports room authenticate',
    ],
    [
      'lib/decision/vocabulary.ts',
      "export { x } from './authorize/policy.ts';",
      'only lib/decision/pipeline.ts imports rooms',
    ],
    ['lib/respond/problem.ts', "import { app } from '../../lib/http/app.ts';", 'lib imports functions'],
    ['lib/http/app.ts', "import { build } from '../infra/build.ts';", 'functions imports infra'],
    [
      'infra/verify.ts',
      "import { route } from '../lib/request/endpoints.ts';",
      'infra imports lib/request/endpoints.ts',
    ],
    ['lib/respond/problem.ts', "import { Hono } from 'hono';", 'hono is not for lib/respond/problem.ts'],
    [
      'lib/respond/problem.ts',
      "const sdk = await import('@aws-sdk/client-s3');",
      '@aws-sdk/client-s3 is not for lib/respond/problem.ts',
    ],
    ['lib/audit/record.ts', "import { Redis } from '@upstash/redis';", '@upstash/redis is not for lib/audit/record.ts'],
    ['lib/limit/leases.ts', "import { compactVerify } from 'jose';", 'jose is not for lib/limit/leases.ts'],
    ['lib/config/table.ts', "import * as z from 'zod';", 'zod is not for lib/config/table.ts'],
    ['lib/request/path.ts', "import { Buffer } from 'node:buffer';", 'node:buffer is not for lib/request/path.ts'],
    ['lib/request/path.ts', "import express from 'express';", 'express is not for lib/request/path.ts'],
    ['lib/request/path.ts', 'const mode = process.env.MODE;', 'process'],
    ['lib/request/path.ts', 'const now = Date.now();', 'Date.now'],
    ['lib/request/path.ts', 'const now = new Date();', 'new Date()'],
    ['lib/request/path.ts', 'const id = globalThis.crypto.randomUUID();', 'crypto.randomUUID'],
    ['lib/request/path.ts', 'const roll = Math.random();', 'Math.random'],
    ['lib/request/path.ts', 'console.log(1);', 'console'],
    ['lib/request/path.ts', 'const bytes = Buffer.from("");', 'Buffer'],
    ['lib/request/path.ts', 'const body = await fetch("https://a.example/");', 'fetch'],
    ['lib/request/path.ts', 'export default function path() {}', 'default export'],
    ['lib/request/path.ts', 'const path = 1; export { path as default };', 'default export'],
    ['lib/request/index.ts', 'export const a = 1;', 'barrel'],
    ['lib/request/all.ts', "export * from './path.ts';", 'barrel'],
  ])('%s: %s', (path, source, fault) => {
    expect(dependencyFaults(path, source)).toContainEqual(expect.stringContaining(fault));
  });

  it.each<[path: string, source: string]>([
    [
      'lib/decision/pipeline.ts',
      "import { route } from './request/endpoints.ts'; import { admit } from './admit/admission.ts';",
    ],
    [
      'lib/authorize/policy.ts',
      "import type { Principal } from '../decision.ts'; import type { C } from '../config/table.ts';",
    ],
    ['lib/authenticate/jwt/access-token.ts', "import { compactVerify } from 'jose'; import * as z from 'zod/mini';"],
    ['lib/audit/outbox.ts', "import { Redis } from '@upstash/redis/cloudflare';"],
    [
      'lib/request/path.ts',
      "// console.log(Date.now()) would be wrong here\nconst text = 'process.env'; const at = new Date(0);",
    ],
    [
      'lib/request/path.ts',
      'export interface Parts { readonly fetch: Fetch; readonly process: string } parts.fetch("x"); parts.setTimeout(1);',
    ],
    ['functions/worker.ts', 'export default { fetch: () => new Response() };'],
  ])('allows %s: %s', (path, source) => {
    expect(dependencyFaults(path, source)).toEqual([]);
  });
});
