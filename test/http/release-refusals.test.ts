import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { download } from '../../src/cli/download.ts'
import { openVault } from '../../src/vault/vault.ts'
import type { Answer, ApiClient } from '../support/api-client.ts'
import { deliver, expect, makeCohort, takeFile } from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, startHttpStage, tablePart } from './stage.ts'

/** Every way in which a release must not leave, each with its answer, and that not a byte of it did. */
test('a release does not leave', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  for (const [agency, table] of [
    [spine, 'cases'],
    [other, 'visits'],
  ] as const) {
    const parts = [keysPart(30), tablePart(table, 30)]
    await service.jobEnd(operator, (await deliver(agency, 'hostile', parts)).job)
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const { reviewers, head, recipient } = await reviewersOf(service, operator)
  const stranger = await service.person('stranger', ['recipient'])
  const admin = service.database.pool('admin', 2)

  const columns = { code: { rule: 'keep' }, note: { rule: 'keep' } }
  const plain = {
    name: 'refusals',
    version: '1',
    type: 'A',
    dates: 'relative',
    formats: ['csv'],
    tables: { cases: { columns }, visits: { columns } },
  }
  const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1' }
  type Asked = { id: string; path: string; job: Answer; terms: Record<string, string> }
  const asked = async (policy: object = plain, periodMs = 86_400_000): Promise<Asked> => {
    const validUntil = new Date(Date.now() + periodMs).toISOString()
    const wanted = { policy, ...terms, validUntil }
    const { release, job } = expect(
      await operator.post(`/v1/cohorts/${cohort}/releases`, wanted),
      202,
    ).body
    const ended = await service.jobEnd(operator, job)
    const path = `/v1/releases/${release}`
    return { id: release, path, job: ended, terms: { ...terms, validUntil } }
  }
  const approve = async ({ path, terms: about }: Asked): Promise<Answer> => {
    const { manifestSha256 } = expect(await operator.get(path), 200).body
    return head.post(`${path}/approval`, {
      manifestSha256: manifestSha256 ?? '0'.repeat(64),
      ...about,
    })
  }
  const reviewed = async (release: Asked): Promise<Asked> => {
    const { manifestSha256 } = expect(await operator.get(release.path), 200).body
    for (const [index, kind] of ['relevance', 'recognisability', 'safety'].entries()) {
      const said = { verdict: 'pass', reason: 'A test', declaresNoInterest: true }
      const finding = { kind, manifestSha256, ...said }
      t.equal((await reviewers[index]?.post(`${release.path}/findings`, finding))?.status, 201)
    }
    return release
  }
  const ready = async (periodMs?: number): Promise<Asked> => {
    const release = await reviewed(await asked(plain, periodMs))
    await service.jobEnd(operator, expect(await approve(release), 202).body.job)
    return release
  }
  const fileOf = async ({ path }: Asked): Promise<string> => {
    const { files } = expect(await operator.get(path), 200).body
    const names = files.map(({ name }: { name: string }) => name)
    return names.find((name: string) => name.startsWith('data/cases/'))
  }
  /** Asks for a file; the answer must be a problem of this kind and nothing else, and be on record. */
  const noByte = async (
    t: Test,
    {
      release: { id, path },
      name,
      by = recipient,
    }: { release: Asked; name: string; by?: ApiClient },
    [status, type]: [number, string],
  ): Promise<void> => {
    const answer = await takeFile(by, path, name)
    t.equal(answer.status, status)
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    t.match(answer.body, { type: `urn:gyeol:problem:${type}`, status })
    const { rows } = await admin.query<{ entry: Buffer }>(
      `select entry from gyeol.audit_leaf where action = 'read-release-file' and object = $1
       order by number desc limit 1`,
      [`${id}/${name}`],
    )
    const leaf = JSON.parse(rows[0]?.entry.toString() ?? '{}')
    t.match(leaf, { outcome: 'refused', note: type }, 'the attempt is on record')
  }

  await t.test('without approval', async (t) => {
    const release = await reviewed(await asked())
    const file = await fileOf(release)
    for (const name of [file, 'manifest.json', 'persons.csv']) {
      await noByte(t, { release, name: name }, [409, 'state-conflict'])
    }
  })

  await t.test('by the tool, which says what the service says', async (t) => {
    const release = await reviewed(await asked())
    const target = join(t.testdir({}), 'manifest.json')
    const { token = '' } = recipient
    const reach = { url: service.url, ca: service.authority.ca.toString(), token }
    const taken = download(reach, `${release.path}/files/manifest.json`, { target, reason: 'why' })
    await t.rejects(taken, { code: 'state-conflict' })
    t.same(readdirSync(dirname(target)), [], 'nothing is left')
  })

  await t.test('to another recipient', async (t) => {
    const release = await ready()
    const file = await fileOf(release)
    t.equal((await takeFile(recipient, release.path, file)).status, 200)
    await noByte(t, { release, name: file, by: stranger }, [403, 'grant-missing'])
    await noByte(t, { release, name: file, by: operator }, [403, 'grant-missing'])
    await noByte(t, { release, name: file, by: spine }, [403, 'grant-missing'])
  })

  await t.test('after its period', async (t) => {
    const release = await ready(5_000)
    await sleep(Math.max(0, Date.parse(release.terms['validUntil'] ?? '') - Date.now()) + 50)
    await noByte(t, { release, name: await fileOf(release) }, [403, 'outside-period'])
  })

  await t.test('below the threshold', async (t) => {
    const k = {
      ...plain,
      measures: { quasiIdentifiers: [{ table: 'cases', column: 'code' }], k: 5 },
    }
    const release = await asked(k)
    t.match(release.job.body, {
      state: 'failed',
      refusal: { code: 'policy-refused', details: { fault: 'persons in classes below k', k: 5 } },
    })
    t.equal((await approve(release)).status, 409)
    await noByte(t, { release, name: 'manifest.json' }, [409, 'state-conflict'])
    const page = expect(await operator.get(`${release.path}/report?lang=en`), 200)
    t.match(page.bytes.toString(), 'It could not be built.')
    t.notMatch(page.bytes.toString(), 'not built yet')
  })

  await t.test('with a changed file', async (t) => {
    const release = await ready()
    const file = await fileOf(release)
    const { rows } = await admin.query<Desk>(
      `select f.desk_object_id as id, k.sealing_key_id as "keyId", k.public_key as key,
         k.project_id as project
       from gyeol.release_file f join gyeol.vault_object o on o.object_id = f.desk_object_id
       join gyeol.sealing_key k using (sealing_key_id)
       where f.release_id = $1 and f.name = $2`,
      [release.id, file],
    )
    const [desk] = rows
    if (!desk) throw new Error('the desk has no such file')
    const path = join(service.home, 'vault', desk.id.slice(0, 2), desk.id)
    const whole = readFileSync(path)
    const before = expect(await takeFile(recipient, release.path, file), 200).bytes
    for (const at of [0, 40, whole.length - 5]) {
      const flipped = Buffer.from(whole)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      writeFileSync(path, flipped)
      await noByte(t, { release, name: file }, [409, 'file-changed'])
    }
    const forged = Buffer.from(before)
    forged[forged.length - 2] = (forged[forged.length - 2] ?? 0) ^ 1
    rmSync(path)
    const vault = await openVault(join(service.home, 'vault'))
    await vault.put(Readable.from([forged], { objectMode: false }), {
      recipientPublicKey: desk.key,
      keyId: desk.keyId,
      context: { project: desk.project, kind: 'desk-file', objectId: desk.id },
    })
    await noByte(t, { release, name: file }, [409, 'file-changed'])
    const ranged = await takeFile(recipient, release.path, file, { range: 'bytes=0-3' })
    t.equal(ranged.status, 409, 'well sealed by somebody else, and in parts')
    writeFileSync(path, whole)
    t.same((await takeFile(recipient, release.path, file)).bytes, before)
    const changed = await reviewed(await asked())
    const manifestSha256 = 'f'.repeat(64)
    const other = await head.post(`${changed.path}/approval`, { manifestSha256, ...changed.terms })
    t.match(other, { status: 409, body: { type: /:manifest-differs$/ } }, 'changed after review')
    await noByte(t, { release: changed, name: 'manifest.json' }, [409, 'state-conflict'])
  })

  await t.test('while the vault is away, and then it does', async (t) => {
    const release = await ready()
    const vault = join(service.home, 'vault')
    renameSync(vault, `${vault}.away`)
    const answer = await takeFile(recipient, release.path, 'manifest.json')
    t.match(answer, { status: 503, body: { type: /:outage$/ } })
    renameSync(`${vault}.away`, vault)
    t.equal((await takeFile(recipient, release.path, 'manifest.json')).status, 200)
  })

  t.comment('too few cosignatures: test/http/cosignatures.test.ts')
})

type Desk = { id: string; keyId: string; key: Buffer; project: string }
