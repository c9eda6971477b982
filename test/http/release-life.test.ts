import { createHash, randomUUID } from 'node:crypto'
import { cpSync, existsSync, readdirSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { expireReleases } from '../../src/actions/expire-releases.ts'
import { verifyEd25519 } from '../../src/core/ed25519.ts'
import { openVault } from '../../src/vault/vault.ts'
import type { Answer, ApiClient } from '../support/api-client.ts'
import { deliver, expect, makeCohort, takeFile } from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { until } from '../support/until.ts'
import { keysPart, startHttpStage, tablePart } from './stage.ts'

const people = 12
const columns = { code: { rule: 'keep' }, note: { rule: 'keep' } }
const policy = {
  name: 'life',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['csv'],
  tables: { cases: { columns } },
}
const said = { verdict: 'pass', reason: 'A test', declaresNoInterest: true }
const kinds = ['relevance', 'recognisability', 'safety'] as const

test('the life of a release', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  const parts = [keysPart(people), tablePart('cases', people)]
  for (const { job } of [
    await deliver(other, 'hostile', [keysPart(people)]),
    await deliver(spine, 'hostile', parts),
  ]) {
    await service.jobEnd(operator, job)
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const { reviewers, head, recipient } = await reviewersOf(service, operator)
  const stranger = await service.person('stranger', ['recipient'])
  const auditor = await service.person('auditor', ['auditor'])
  const admin = service.database.pool('admin', 2)
  const actions = { pool: service.database.pool('gyeol_api', 4) }

  type Asked = { id: string; path: string; manifestSha256: string; terms: Record<string, string> }
  const built = async (periodMs = 86_400_000): Promise<Asked> => {
    const validUntil = new Date(Date.now() + periodMs).toISOString()
    const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1', validUntil }
    const wanted = await operator.post(`/v1/cohorts/${cohort}/releases`, { policy, ...terms })
    const { release, job } = expect(wanted, 202).body
    await service.jobEnd(operator, job)
    const path = `/v1/releases/${release}`
    const { manifestSha256 } = expect(await operator.get(path), 200).body
    return { id: release, path, manifestSha256, terms }
  }
  const reviewed = async (release: Asked): Promise<Asked> => {
    for (const [index, kind] of kinds.entries()) {
      const finding = { kind, manifestSha256: release.manifestSha256, ...said }
      t.equal((await reviewers[index]?.post(`${release.path}/findings`, finding))?.status, 201)
    }
    return release
  }
  const approve = (release: Asked): Promise<Answer> =>
    head.post(`${release.path}/approval`, {
      manifestSha256: release.manifestSha256,
      ...release.terms,
    })
  const ready = async (periodMs?: number): Promise<Asked> => {
    const release = await reviewed(await built(periodMs))
    await service.jobEnd(operator, expect(await approve(release), 202).body.job)
    t.equal((await operator.get(release.path)).body.state, 'ready')
    return release
  }
  type Download = {
    outcome: string | null
    bytesSent: number
    reason: string
    endedAt: string | null
  }
  const endedDownloads = (release: Asked, count: number): Promise<Download[]> =>
    until(async () => {
      const answer = expect(await auditor.get(`${release.path}/downloads`), 200)
      const downloads: Download[] = answer.body.downloads
      return downloads.filter(({ endedAt }) => endedAt !== null).length >= count && downloads
    }, `${count} downloads have ended`)
  const leavesOf = async (action: string, object: string): Promise<Record<string, unknown>[]> => {
    const { rows } = await admin.query<{ entry: Buffer }>(
      'select entry from gyeol.audit_leaf where action = $1 and object like $2 order by number',
      [action, `${object}%`],
    )
    return rows.map(({ entry }) => JSON.parse(entry.toString()))
  }

  await t.test('of many findings, approvals and recalls at once one order comes out', async (t) => {
    const release = await reviewed(await built())
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => approve(release)),
      ...reviewers.flatMap((reviewer) =>
        kinds.map((kind) =>
          reviewer.post(`${release.path}/findings`, {
            kind,
            manifestSha256: release.manifestSha256,
            ...said,
          }),
        ),
      ),
    ])
    const approvals = answers.slice(0, 8)
    t.equal(approvals.filter(({ status }) => status === 202).length, 1, 'one approval wins')
    t.equal(approvals.filter(({ status }) => status === 409).length, 7)
    t.equal((await leavesOf('approve-release', release.id)).filter(isDone).length, 1)
    const job = approvals.find(({ status }) => status === 202)?.body.job
    await service.jobEnd(operator, job)
    const recalls = await Promise.all(
      [operator, head, reviewers[0], reviewers[1]].map((by) =>
        by.post(`${release.path}/recall`, { reason: 'A test' }),
      ),
    )
    t.same(recalls.map(({ status }) => status).sort(), [200, 409, 409, 409])
    t.equal((await approve(release)).status, 409)
    const records = await admin.query('select from gyeol.processing_record where release_id = $1', [
      release.id,
    ])
    t.equal(records.rowCount, 1)
  })

  await t.test('approval and recall at once: either way nothing leaves after', async (t) => {
    for (let round = 0; round < 2; round += 1) {
      const release = await reviewed(await built())
      const [approval, recall] = await Promise.all([
        approve(release),
        operator.post(`${release.path}/recall`, { reason: 'A test' }),
      ])
      t.equal(recall.status, 200)
      t.ok([202, 409].includes(approval.status))
      if (approval.status === 202) await service.jobEnd(operator, approval.body.job)
      t.equal((await operator.get(release.path)).body.state, 'recalled')
      t.equal((await takeFile(recipient, release.path, 'manifest.json')).status, 409)
    }
  })

  await t.test('a recall stops a release that is being built', async (t) => {
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1', validUntil }
    const wanted = await operator.post(`/v1/cohorts/${cohort}/releases`, { policy, ...terms })
    const { release, job } = expect(wanted, 202).body
    const stop = { reason: 'Wrong policy' }
    t.equal((await operator.post(`/v1/releases/${release}/recall`, stop)).status, 200)
    t.equal((await operator.get(`/v1/jobs/${job}`)).body.state, 'cancelled')
    await sleep(1_000) // A worker that still builds it would write in this time.
    t.match((await operator.get(`/v1/releases/${release}`)).body, {
      state: 'recalled',
      manifestSha256: null,
    })
    const destroyed = expect(await operator.post(`/v1/releases/${release}/destruction`), 202).body
    t.equal((await service.jobEnd(operator, destroyed.job)).body.state, 'done')
    const asks = await auditor.post(`/v1/cohorts/${cohort}/releases`, { policy, ...terms })
    t.equal(asks.status, 403, 'an auditor starts nothing')
    t.equal((await operator.get('/v1/audit/entries')).status, 403, 'an operator reads no trail')
    t.equal((await spine.get(`/v1/releases/${release}`)).status, 403, 'an agency sees no release')
  })

  await t.test('who has an interest does not review', async (t) => {
    const release = await built()
    const finding = { kind: 'safety', manifestSha256: release.manifestSha256, ...said }
    const answer = await reviewers[0].post(`${release.path}/findings`, {
      ...finding,
      declaresNoInterest: false,
    })
    t.match(answer, { status: 403, body: { type: /:own-act$/ } })
    t.equal((await auditor.post(`${release.path}/recall`, { reason: 'x' })).status, 403)
    await admin.query(`update gyeol.project set risk_grade = 'high-risk'`)
    for (const kind of kinds) {
      const given = { ...finding, kind }
      t.equal((await reviewers[0].post(`${release.path}/findings`, given)).status, 201)
    }
    t.match(await approve(release), {
      status: 409,
      body: { type: /:finding-missing$/, details: { reviewersMissing: 2 } },
    })
    await admin.query(`update gyeol.project set risk_grade = 'controlled-room'`)
    const own = `insert into gyeol.finding (release_id, kind, reviewer_id, verdict, reason, manifest_sha256)
      select release_id, 'safety', recipient_id, 'pass', 'x', manifest_sha256 from gyeol.release
      where release_id = $1`
    await t.rejects(actions.pool.query(own, [release.id]), { code: '23514' }, 'nor in the database')
  })

  await t.test(
    'a file is taken in ranges, with a reason, and the trail says how far',
    async (t) => {
      const release = await ready()
      const name = 'manifest.json'
      const whole = expect(await takeFile(recipient, release.path, name), 200)
      t.equal(createHash('sha256').update(whole.bytes).digest('hex'), release.manifestSha256)
      t.equal(whole.headers['etag'], `"${release.manifestSha256}"`)
      const half = Math.floor(whole.bytes.length / 2)
      const etag = whole.headers['etag'] ?? ''
      const first = await takeFile(recipient, release.path, name, { range: `bytes=0-${half - 1}` })
      const second = await takeFile(recipient, release.path, name, {
        range: `bytes=${half}-`,
        'if-range': etag,
      })
      t.same([first.status, second.status], [206, 206])
      t.same(Buffer.concat([first.bytes, second.bytes]), whole.bytes)
      t.equal(
        second.headers['content-range'],
        `bytes ${half}-${whole.bytes.length - 1}/${whole.bytes.length}`,
      )
      const behind = await takeFile(recipient, release.path, name, { range: 'bytes=9999999-' })
      t.equal(behind.status, 416)
      t.equal(behind.headers['content-range'], `bytes */${whole.bytes.length}`)
      const changed = { range: 'bytes=0-3', 'if-range': '"0"' }
      t.equal((await takeFile(recipient, release.path, name, changed)).status, 200)
      t.equal(
        (await recipient.get(`${release.path}/files/${name}`)).status,
        400,
        'without a reason',
      )
      const long = { 'gyeol-reason': 'x'.repeat(201) }
      t.equal((await takeFile(recipient, release.path, name, long)).status, 400)
      const korean = Buffer.from('생존 분석').toString('latin1')
      expect(await takeFile(recipient, release.path, name, { 'gyeol-reason': korean }), 200)
      t.equal((await takeFile(stranger, release.path, name)).status, 403, 'another recipient')
      const downloads = await endedDownloads(release, 5)
      t.equal(downloads.length, 5)
      t.ok(downloads.every(({ outcome }) => outcome === 'complete'))
      t.equal(downloads[1]?.bytesSent, half)
      t.equal(downloads.at(-1)?.reason, '생존 분석')
      const [begun] = await leavesOf('read-release-file', `${release.id}/${name}`)
      const ends = await leavesOf('end-release-file', `${release.id}/${name}`)
      t.equal(ends.length, 5)
      t.match(begun, { counts: { start: 0 }, digests: { reason: /^[0-9a-f]{64}$/ } })
      t.notMatch(JSON.stringify(begun), /A test/, 'the reason itself is not in the trail')
      const refused = await leavesOf('read-release-file', `${release.id}/${name}`)
      t.ok(refused.some(({ outcome, note }) => outcome === 'refused' && note === 'grant-missing'))
    },
  )

  await t.test('a recall cuts a running download within five seconds', async (t) => {
    const release = await ready()
    await addBigFile(release.id)
    const running = slowDownload(recipient, `${release.path}/files/big.bin`)
    await until(() => running.received() > 0, 'it runs')
    const recalled = expect(
      await reviewers[2].post(`${release.path}/recall`, { reason: 'Recognisable' }),
      200,
    )
    t.match(recalled.body.taken, [{ account: 'recipient', file: 'big.bin', endedAt: null }])
    t.equal(await running.ended, 'cut')
    const [download] = await endedDownloads(release, 1)
    t.match(download, { outcome: 'cut' })
    const { endedAt } = (await operator.get(release.path)).body
    const seconds = (Date.parse(download?.endedAt ?? '') - Date.parse(endedAt)) / 1000
    t.ok(seconds < 3, `cut after ${seconds} s`)
    t.comment(`a recall cut a running download after ${seconds} s`)
    t.ok(Number(download?.bytesSent) < bigBytes)
    t.equal((await takeFile(recipient, release.path, 'manifest.json')).status, 409)
  })

  await t.test('it expires, is reported on, destroyed, and cannot be read again', async (t) => {
    const release = await ready(6_000)
    expect(await takeFile(recipient, release.path, 'manifest.json'), 200)
    t.equal((await operator.post(`${release.path}/destruction`)).status, 409, 'while it lives')
    await sleep(Math.max(0, Date.parse(release.terms['validUntil'] ?? '') - Date.now()) + 50)
    t.match(await takeFile(recipient, release.path, 'manifest.json'), {
      status: 403,
      body: { type: /:outside-period$/ },
    })
    const swept = await Promise.all([expireReleases(actions), expireReleases(actions)])
    t.equal(swept[0] + swept[1], 1, 'two sweeps end it once')
    t.equal((await operator.get(release.path)).body.state, 'expired')
    await admin.query(
      `update gyeol.release set end_report_due_at = now() - interval '1 day' where release_id = $1`,
      [release.id],
    )
    const overdue = async (): Promise<unknown[]> =>
      expect(await auditor.get('/v1/releases?overdue=true'), 200).body.releases
    t.match(await overdue(), [{ release: release.id, isOverdue: true, endReportedAt: null }])
    t.equal((await recipient.get('/v1/releases')).status, 403)
    const text = { text: 'Three papers' }
    t.equal((await stranger.post(`${release.path}/end-report`, text)).status, 403)
    t.equal((await recipient.post(`${release.path}/end-report`, text)).status, 201)
    t.equal((await recipient.post(`${release.path}/end-report`, text)).status, 409)
    t.same(await overdue(), [])
    const confirmation = `${release.path}/destruction-confirmation`
    t.equal((await recipient.post(confirmation, { text: 'All copies' })).status, 201)

    const copy = join(service.home, 'backup')
    cpSync(join(service.home, 'vault'), copy, { recursive: true })
    const objects = await admin.query<{ id: string; project: string; kind: string }>(
      `select o.object_id as id, o.project_id as project, o.kind from gyeol.vault_object o
       join gyeol.sealing_key k using (sealing_key_id) where k.release_id = $1`,
      [release.id],
    )
    t.same(
      [...new Set(objects.rows.map(({ kind }) => kind))].sort(),
      ['desk-file', 'release-file', 'release-persons'],
      'everything of it is sealed to keys of its own',
    )
    t.equal(await readable(copy, objects.rows), objects.rows.length, 'the backup is good')
    t.equal((await reviewers[0].post(`${release.path}/destruction`)).status, 403)
    const { job } = expect(await operator.post(`${release.path}/destruction`), 202).body
    t.equal((await service.jobEnd(operator, job)).body.state, 'done')
    t.equal(await readable(copy, objects.rows), 0, 'the backup cannot be read any more')
    t.ok(
      objects.rows.every(({ id }) => !existsSync(join(service.home, 'vault', id.slice(0, 2), id))),
    )
    t.ok(readdirSync(copy).length > 0)
    const pseudonym = { purpose: 'pseudonym', domain: release.id } as const
    const project = objects.rows[0]?.project
    t.notOk(service.keyrings.data.has({ ...pseudonym, project }))
    t.equal((await operator.get(release.path)).body.state, 'destroyed')
    t.same(expect(await operator.post(`${release.path}/destruction`), 202).body, { job })

    const signed = expect(await recipient.get(`${release.path}/destruction-certificate`), 200).body
    const [key, signature] = [signed.signatureKey, signed.signature].map((each) =>
      Buffer.from(each, 'base64'),
    )
    t.ok(
      verifyEd25519(key ?? Buffer.of(), Buffer.from(signed.certificate), signature ?? Buffer.of()),
    )
    t.match(JSON.parse(signed.certificate), {
      certificate: 'gyeol-destruction-1',
      manifestSha256: release.manifestSha256,
      endedAs: 'ended',
    })
    await recordIsKept(t, release.id)
  })

  /** How many of these objects of a copy of the vault the keyrings of now can open. */
  async function readable(
    directory: string,
    objects: readonly { id: string; project: string; kind: string }[],
  ): Promise<number> {
    const vault = await openVault(directory)
    let count = 0
    for (const { id, project, kind } of objects) {
      const keyring = service.keyrings[kind === 'desk-file' ? 'api' : 'data']
      const plain = await vault.openRead(
        (keyId, enc, ciphertext, info) => keyring.openSealed(keyId, enc, ciphertext, info),
        { project, kind, objectId: id },
      )
      count += await plain.toArray().then(
        () => 1,
        (error: { code?: string }) => (error.code === 'key-destroyed' ? 0 : Number.NaN),
      )
    }
    return count
  }

  async function recordIsKept(t: Test, release: string): Promise<void> {
    const record = 'from gyeol.processing_record where release_id = $1'
    const { rows } = await admin.query(`select items, destroyed_at ${record}`, [release])
    t.match(rows, [{ items: { cases: ['code', 'note'] }, destroyed_at: Date }])
    for (const role of ['gyeol_api', 'gyeol_data', 'gyeol_migrate', 'admin'] as const) {
      const pool = role === 'admin' ? admin : service.database.pool(role, 1)
      await t.rejects(pool.query(`delete ${record}`, [release]), { code: '42501' }, role)
      await t.rejects(pool.query('truncate gyeol.processing_record'), { code: '42501' }, role)
      const update = 'update gyeol.processing_record set purpose = $2 where release_id = $1'
      await t.rejects(pool.query(update, [release, 'x']), { code: '42501' }, role)
      const early = `update gyeol.processing_record set destroyed_at = now() - interval '4 years'
        where release_id = $1`
      await t.rejects(pool.query(early, [release]), { code: '42501' }, role)
    }
    await admin.query(`
      alter table gyeol.processing_record disable trigger user;
      update gyeol.processing_record set destroyed_at = now() - interval '3 years 1 day';
      alter table gyeol.processing_record enable trigger user`)
    t.equal((await admin.query(`delete ${record}`, [release])).rowCount, 1, 'after three years')
  }

  /** A file of the desk that is larger than the buffers between service and recipient. */
  async function addBigFile(release: string): Promise<void> {
    const { rows } = await admin.query<{ id: string; key: Buffer; project: string }>(
      `select sealing_key_id as id, public_key as key, project_id as project from gyeol.sealing_key
       where release_id = $1 and side = 'desk'`,
      [release],
    )
    const [key] = rows
    if (!key) throw new Error('the release has no key at the desk')
    const vault = await openVault(join(service.home, 'vault'))
    const objectId = randomUUID()
    const piece = Buffer.alloc(1 << 20, 7)
    const stored = await vault.put(
      Readable.from(Array.from({ length: bigBytes / piece.length }, () => piece)),
      {
        recipientPublicKey: key.key,
        keyId: key.id,
        context: { project: key.project, kind: 'desk-file', objectId },
      },
    )
    await admin.query(
      `insert into gyeol.vault_object (object_id, project_id, kind, sealing_key_id, bytes)
       values ($1, $2, 'desk-file', $3, $4)`,
      [objectId, key.project, key.id, stored.bytes],
    )
    await admin.query(
      `insert into gyeol.release_file (release_id, name, object_id, desk_object_id, bytes, sha256)
       values ($1, 'big.bin', $2, $2, $3, $4)`,
      [release, objectId, bigBytes, stored.plainSha256],
    )
  }
})

const bigBytes = 128 << 20

function isDone(leaf: Record<string, unknown>): boolean {
  return leaf['outcome'] === 'done'
}

/** Reads a little every 50 ms. */
function slowDownload(
  client: ApiClient,
  path: string,
): { received: () => number; ended: Promise<'whole' | 'cut'> } {
  let received = 0
  const ended = new Promise<'whole' | 'cut'>((resolve) => {
    const headers = { authorization: `Bearer ${client.token}`, 'gyeol-reason': 'Slowly' }
    const agent = new Agent({ ...client.reach.tls, keepAlive: false })
    const sent = request(new URL(path, client.reach.url), { agent, headers }, (incoming) => {
      const timer = setInterval(() => {
        received += incoming.read(64 * 1024)?.length ?? 0
      }, 50)
      incoming.on('readable', () => {})
      incoming.once('error', () => {})
      incoming.once('close', () => {
        clearInterval(timer)
        resolve(incoming.complete ? 'whole' : 'cut')
      })
    })
    sent.once('error', () => resolve('cut'))
    sent.end()
  })
  return { received: () => received, ended }
}
