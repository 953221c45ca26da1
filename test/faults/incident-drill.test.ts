import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createArchive } from '../../lib/archive/run.ts';
import { createSigner, createVerifier } from '../../lib/archive/signature.ts';
import { createMemoryOutbox } from '../../lib/audit/outbox-memory.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import { aged } from '../support/archive-run.ts';
import { describeWith } from '../support/describe-with.ts';
import { BUCKET, type Deployment, type Scene, startDeployment } from '../support/incident.ts';
import { cephPrograms } from '../support/radosgw.ts';
import { redisProgram } from '../support/redis.ts';
import { type Runbook, readRunbooks } from '../support/runbook.ts';
import { archiveSettings, layout, recordAt, signingJwk } from '../unit/archive/fixtures.ts';
import { comesTrue, type Play, pause } from './incident.ts';
import { credentialPlays } from './incidents-credentials.ts';
import { keyPlays } from './incidents-keys.ts';

/* Every compromise of docs/guides/secrets.md, played with the commands of the page as they stand there. */

const programs = await Promise.all([redisProgram(), ...Object.values(await cephPrograms())]);
const runbooks = await readRunbooks();
/** What a busy machine may add to a bound. */
const toleranceMs = 1_000;
const { 'The Redis token': redisToken, ...keys } = keyPlays;
const sideBySide = { ...credentialPlays, ...keys };
/** Whose reset is felt by every door. */
const alone = { 'The Redis token': redisToken };
const plays = { ...sideBySide, ...alone };
function instant(atMs: number) {
  return new Date(atMs).toISOString();
}

/** Uses what leaked again and again; gives, at its end, how often it passed and when for the last time. */
function abuse(attempt: () => Promise<boolean>) {
  let [stopped, passed, lastPassedMs] = [false, 0, 0];
  const done = (async () => {
    while (!stopped) {
      const beganMs = Date.now();
      if (await attempt()) {
        passed++;
        lastPassedMs = beganMs;
      }
      await pause(25);
    }
  })();
  return {
    async end() {
      stopped = true;
      await done;
      return { passed, lastPassedMs };
    },
  };
}

/** Lets so many go at a time, the others wait. */
function limitTo(count: number) {
  const ends: Promise<unknown>[] = Array.from({ length: count }, () => Promise.resolve());
  let turn = 0;
  return <T>(work: () => Promise<T>): Promise<T> => {
    const place = turn++ % count;
    const result = (ends[place] ?? Promise.resolve()).then(work);
    ends[place] = result.catch(() => undefined);
    return result;
  };
}

/** The commands of a step up to each comment, which leaves something to a human. */
function partsOf(commands: string): readonly string[] {
  return commands.split(/^#.*$\n?/m);
}

describeWith(programs, 'incident drill: leak, detect, revoke or rotate, prove', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment(await cephPrograms(), JSON.stringify(signingJwk));
  });
  afterAll(async () => {
    await deployment?.stop();
  });

  const runbook = (heading: string): Runbook => {
    const found = runbooks.get(heading);
    if (found === undefined) throw new Error(`the page has no runbook for: ${heading}`);
    return found;
  };
  const well = async (scene: Scene, commands: string, variables: Readonly<Record<string, string>>) => {
    const answer = await scene.shell(commands, variables);
    expect(answer, `${commands}\n${answer.out}${answer.err}`).toMatchObject({ code: 0 });
    return answer.out;
  };
  /** Opens a scene, and closes it whatever happens. */
  const onScene = async (act: (scene: Scene) => Promise<void>) => {
    const scene = await deployment.scene();
    try {
      await act(scene);
    } finally {
      await scene.close();
    }
  };

  test('every compromise of the page is played, or told not to be', () => {
    expect([...runbooks.keys()].toSorted()).toEqual(
      [
        ...Object.keys(plays),
        'The manifest key',
        'Storage credentials',
        'The pseudonym key',
        'The Vault token or role',
      ].toSorted(),
    );
  });

  const drill = async (heading: string, play: Play, scene: Scene) => {
    const { detect, stop, prove } = runbook(heading);
    const beganMs = Date.now();
    const incident = await play(scene);
    const variables = { ...incident.variables, SINCE: instant(beganMs) };
    const evidence = async (sinceMs: number) => ({ ...variables, ...(await incident.evidence?.(sinceMs)) });

    // Leak: it is used, and passes; the proof says so.
    const theft = abuse(incident.attempt);
    scene.atEnd(theft.end);
    await pause(400);
    await scene.archive();
    const shown = { ...(await evidence(beganMs)), T: instant(beganMs) };
    const [detected, before] = await Promise.all([well(scene, detect, shown), scene.shell(prove, shown)]);
    incident.detected(detected);
    expect(before.err, before.out).toMatch(/^[1-9]\d* records|[1-9]\d* lines without/m);
    expect(before.code, `the proof holds before anything was stopped: ${before.out}`).toBe(1);

    // Stop, in the order of the page.
    let printed = '';
    for (const [place, commands] of partsOf(stop).entries()) {
      if (place > 0) await incident.byHand?.[place - 1]?.();
      if (commands.trim() !== '') printed += await well(scene, commands, variables);
    }
    const stoppedMs = Date.now();
    const boundMs = incident.boundMs(printed);
    expect(boundMs).toBeGreaterThan(0);
    const T = stoppedMs + boundMs + toleranceMs;
    while (Date.now() < T + 200) {
      await incident.goesOn();
      await pause(100);
    }

    // Prove: those who should pass do, and the thief has not, from the bound on.
    expect(await comesTrue(incident.goesOn)).toBe(true);
    const { passed, lastPassedMs } = await theft.end();
    const untilMs = Math.max(0, lastPassedMs - stoppedMs);
    console.log(
      `drill, ${heading}: the thief passed ${passed} times, for the last time ${untilMs} ms after it was stopped; bound ${boundMs} ms`,
    );
    expect(passed).toBeGreaterThan(0);
    expect(untilMs).toBeLessThanOrEqual(boundMs + toleranceMs);
    await pause(100);
    await scene.archive();
    await well(scene, prove, { ...(await evidence(T)), T: instant(T) });
  };

  describe('side by side', () => {
    const places = limitTo(3);
    test.concurrent.each(Object.entries(sideBySide))(
      '%s',
      (heading, play) => places(() => onScene((scene) => drill(heading, play, scene))),
      120_000,
    );
  });

  test.each(Object.entries(alone))('%s', (heading, play) => onScene((scene) => drill(heading, play, scene)), 60_000);

  test('The manifest key', () =>
    onScene(async (scene) => {
      const { detect, stop, prove } = runbook('The manifest key');
      const SINCE = instant(Date.now());
      const door = await scene.openDoor({ TGEFD_AUTH_MODE: 'api_key', TGEFD_API_KEY: 'clerk:some-key' });
      const work = async () => {
        const answer = await fetch(`${door.url}/v1/metrics`, { headers: { 'x-api-key': 'some-key' } });
        expect(answer.status).toBe(200);
        await pause(50);
        await scene.archive();
      };
      const forge = async (writer: string, id: string) => {
        const clock = () => Date.now() + 1_200_000;
        const outbox = createMemoryOutbox({ maximumEntries: 100 }, Date.now);
        await outbox.append(JSON.stringify(recordAt(id, Date.now())));
        const [signer, verifier] = [createSigner(signingJwk), createVerifier([signingJwk, ...publicKeys])];
        const parts = {
          store: deployment.store,
          layout,
          signer,
          verifier,
          source: aged(outbox),
          lease: outbox,
          clock,
          copies: null,
        };
        const archive = createArchive(
          { ...archiveSettings, writer },
          { ...parts, newId: () => id, log: () => undefined },
        );
        expect((await archive.run()).batches).toBe(1);
      };
      let publicKeys: readonly Record<string, unknown>[] = [];

      // Leak: what the thief makes is intact to whoever trusts the key, and only the doors' own lines tell.
      await work();
      await forge('ghost', 'made-up-1');
      const variables = { SINCE, KID: signingJwk.kid ?? '', LINES: await scene.writeLines() };
      expect(await well(scene, detect, variables)).toContain('record without a line  made-up-1');
      await well(scene, 'tgefd-authorizer audit verify', variables);

      // Stop.
      const [rotate = '', revoke = ''] = partsOf(stop);
      await well(scene, rotate, variables);
      deployment.set('TGEFD_AUDIT_SIGNING_KEY', await readFile(join(scene.folder, 'new'), 'utf8'));
      deployment.set('TGEFD_AUDIT_SIGNING_KEY_PREVIOUS', JSON.stringify(signingJwk));
      await work();
      await well(scene, revoke, variables);
      await well(scene, prove, variables);
      const path = join(scene.folder, 'auditors.json');
      const auditors = JSON.parse(await readFile(path, 'utf8'));
      for (const key of auditors.keys) if (key.revoked) delete key.revoked.chains.ghost;
      await writeFile(path, JSON.stringify(auditors));
      publicKeys = auditors.keys.filter((key: object) => !('revoked' in key));

      // Prove: what it forges from now on, in any chain, is named at once, and nothing else; the archive goes on.
      const forgedMs = Date.now();
      await forge('main', 'made-up-2');
      await forge('ghost', 'made-up-3');
      await work();
      const { code, out } = await scene.shell(`${prove} --json`, variables);
      const { findings, integrity, completeness, order } = JSON.parse(out);
      expect([code, integrity, completeness, order]).toEqual([1, 'violated', 'intact', 'intact']);
      const named = findings.map(({ kind, writer }: { kind: string; writer: string }) => `${kind} ${writer}`);
      expect(named).toEqual(['manifest_forged ghost', 'manifest_forged ghost', 'manifest_forged main']);
      console.log(
        `drill, The manifest key: forgeries named ${Date.now() - forgedMs} ms after they were made; bound: at once`,
      );
      await well(scene, 'tgefd-authorizer audit verify', variables); // By the keys without the revocation: nothing would tell.
      const lines = { ...variables, LINES: await scene.writeLines() };
      const compared = await scene.shell(
        `tgefd-authorizer audit compare --ids "$LINES" --from "$SINCE" --keys auditors.json`,
        lines,
      );
      expect(compared).toMatchObject({ code: 1, out: '', err: expect.stringContaining('manifest forged') });
    }));

  test('Storage credentials', () =>
    onScene(async (scene) => {
      const { detect, stop, prove } = runbook('Storage credentials');
      await scene.openDoor({ TGEFD_AUTH_MODE: 'none' });
      const { ceph, s3: stolen } = deployment;
      const fresh = { accessKeyId: 'AKEYTHATISNEW', secretAccessKey: 'the secret of the key that is new' };
      const Bucket = BUCKET;
      const Prefix = layout.manifestsOf('main');
      const listed = await stolen.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
      const [overlaid = '', hidden = ''] = (listed.Versions ?? []).map(({ Key }) => Key ?? '');
      const locked = { Bucket, Key: overlaid, VersionId: listed.Versions?.[0]?.VersionId };
      const added = `${layout.batches}year=2026/month=11/day=24/hour=10/main-9999999999.ndjson.gz`;
      const before = await scene.shell(prove, {});

      // Leak: nothing can be destroyed; it can be hidden, and things can be added. The proof says so.
      await expect(stolen.send(new DeleteObjectCommand(locked))).rejects.toMatchObject({ name: 'AccessDenied' });
      await stolen.send(new PutObjectCommand({ Bucket, Key: overlaid, Body: 'another manifest' }));
      await stolen.send(new DeleteObjectCommand({ Bucket, Key: hidden }));
      await stolen.send(new PutObjectCommand({ Bucket, Key: added, Body: 'a batch' }));
      const shown = await well(scene, detect, {});
      for (const finding of [`manifest_altered  main 1`, `manifest_missing  main 2`, `batch_foreign  ${added}`])
        expect(shown).toContain(finding);
      expect(before.out).not.toContain(added);
      expect((await scene.shell(prove, {})).code).toBe(1);

      // Stop, with what stands for the cloud's own commands here.
      expect(stop.split('\n').map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
        'aws iam delete-access-key',
        'aws s3api list-object-versions',
        'aws s3api delete-object',
      ]);
      await ceph.addKey(fresh);
      const stoppedMs = Date.now();
      await ceph.endKey(ceph.credentials.accessKeyId);
      const steal = () =>
        stolen.send(new ListObjectVersionsCommand({ Bucket, Prefix })).then(
          () => true,
          () => false,
        );
      await expect.poll(steal, { timeout: 5_000 }).toBe(false);
      console.log(
        `drill, Storage credentials: dead ${Date.now() - stoppedMs} ms after they were ended; bound: at once`,
      );
      deployment.set('TGEFD_AUDIT_S3_ACCESS_KEY_ID', fresh.accessKeyId);
      deployment.set('TGEFD_AUDIT_S3_SECRET_ACCESS_KEY', fresh.secretAccessKey);
      const owner = createS3Client({
        endpoint: ceph.endpoint,
        region: 'default',
        credentials: fresh,
        timeoutMs: 20_000,
      });
      for (const Key of [overlaid, hidden, added]) {
        const { Versions = [], DeleteMarkers = [] } = await owner.send(
          new ListObjectVersionsCommand({ Bucket, Prefix: Key }),
        );
        const newestFirst = [...DeleteMarkers, ...Versions].toSorted(
          (one, other) => Number(other.LastModified) - Number(one.LastModified),
        );
        for (const { VersionId } of Key === added ? newestFirst : newestFirst.slice(0, -1))
          await owner.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
      }

      // Prove: as it was before.
      const after = await scene.shell(prove, {});
      expect([after.code, after.out]).toEqual([before.code, before.out]);
    }));
});
