import { createHash, randomUUID } from 'node:crypto'
import { test } from 'tap'
import { appendLeaf, searchLeaves } from '../../src/store/audit.ts'
import {
  checkpointOfSize,
  insertCheckpoint,
  latestCheckpoint,
} from '../../src/store/checkpoints.ts'
import { bestCosigned } from '../../src/store/cosignatures.ts'
import { leafEntries, leafHashes, trailSize } from '../../src/store/leaves.ts'
import { inTransaction } from '../../src/store/pool.ts'
import { startTestDatabase } from '../support/database.ts'

const entry = {
  actor: { kind: 'agency', name: 'insurer' },
  action: 'submit-delivery',
  object: 'delivery-1',
  outcome: 'done',
  counts: { parts: 3 },
} as const

test('the trail', async (t) => {
  const database = await startTestDatabase(t)
  const api = database.pool('gyeol_api', 12)
  const auditor = database.pool('gyeol_auditor')
  const signer = database.pool('gyeol_sign')

  t.test('numbers leaves from 0 without gaps, however many write and fail at once', async (t) => {
    const writers = Array.from({ length: 40 }, (_, index) =>
      inTransaction(api, 'act', async (tx) => {
        const number = await appendLeaf(tx, { ...entry, object: `delivery-${index}` })
        if (index % 4 === 0) throw new Error('undone')
        return number
      }),
    )
    const results = await Promise.allSettled(writers)
    const numbers = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    )
    t.same(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 30 }, (_, index) => index),
    )
    t.equal(await trailSize(signer), 30)
  })

  t.test('keeps the very bytes, on the time of the database, and their hash', async (t) => {
    const { number, now } = await inTransaction(api, 'act', async (tx) => ({
      number: await appendLeaf(tx, entry),
      now: tx.now,
    }))
    const [bytes] = await leafEntries(signer, number, 1)
    if (bytes === undefined) throw new Error('no leaf')
    t.same(JSON.parse(bytes.toString('utf8')), { ...entry, time: now.toISOString() })
    const hash = createHash('sha256').update(Buffer.of(0)).update(bytes).digest()
    t.same(await leafHashes(signer, number, 1), hash)
    t.equal((await leafHashes(signer, 0, number + 1)).length, 32 * (number + 1))
    t.same(await leafHashes(signer, 5, 0), Buffer.alloc(0))
    await t.rejects(leafHashes(signer, number, 2), /gap/)
  })

  t.test('is searched by project, actor, action, object and time, page by page', async (t) => {
    const project = '00000000-0000-4000-8000-00000000000a'
    await inTransaction(api, 'act', async (tx) => {
      await appendLeaf(tx, { ...entry, project, object: 'o-1' })
      await appendLeaf(tx, { ...entry, project, object: 'o-2', action: 'link' })
    })
    const objects = async (search: Parameters<typeof searchLeaves>[1]): Promise<string[]> => {
      const leaves = await searchLeaves(auditor, search)
      return leaves.map((leaf) => String(JSON.parse(leaf.entry.toString('utf8')).object))
    }
    t.same(await objects({ project, limit: 10 }), ['o-1', 'o-2'])
    t.same(await objects({ project, action: 'link', limit: 10 }), ['o-2'])
    t.same(await objects({ object: 'o-1', actor: 'agency:insurer', limit: 10 }), ['o-1'])
    t.same(await objects({ actor: 'agency:other', limit: 10 }), [])
    t.same(await objects({ project, until: new Date(0), limit: 10 }), [])
    t.same(await objects({ project, from: new Date(0), limit: 1 }), ['o-1'])
    const [first] = await searchLeaves(auditor, { project, limit: 1 })
    t.same(await objects({ project, after: first?.number ?? 0, limit: 10 }), ['o-2'])
  })

  t.test('refuses an entry of another form, and then nothing is done', async (t) => {
    const size = await trailSize(signer)
    await t.rejects(
      inTransaction(api, 'act', (tx) => appendLeaf(tx, { ...entry, object: '' })),
      RangeError,
    )
    t.equal(await trailSize(signer), size)
  })

  t.test('keeps checkpoints, one a size', async (t) => {
    t.equal(await latestCheckpoint(api), undefined)
    const insert = (size: number): Promise<boolean> =>
      inTransaction(signer, 'sign', (tx) =>
        insertCheckpoint(tx, {
          size,
          root: Buffer.alloc(32, size),
          note: `note ${size}`,
          verifierKey: 'key',
        }),
      )
    t.equal(await insert(10), true)
    t.equal(await insert(20), true)
    t.equal(await insert(20), false)
    t.match(await latestCheckpoint(api), { size: 20, note: 'note 20' })
    t.match(await checkpointOfSize(auditor, 10), { size: 10, note: 'note 10' })
    t.equal(await checkpointOfSize(auditor, 11), undefined)
    const covering = (leaf: number) => bestCosigned(auditor, { projectId: randomUUID(), leaf })
    t.match(await covering(9), { size: 10, cosignatures: 0 })
    t.match(await covering(10), { size: 20 })
    t.equal(await covering(20), undefined)
  })

  t.test('stops the act when it cannot be written', async (t) => {
    await database
      .pool('admin', 1)
      .query('revoke execute on function gyeol.append_leaf from gyeol_api')
    await t.rejects(
      inTransaction(api, 'act', async (tx) => {
        await tx.query(`insert into gyeol.agency (agency_id, name, title, spki_sha256)
          values (gen_random_uuid(), 'insurer', '{}', sha256(''))`)
        await appendLeaf(tx, entry)
      }),
      { code: '42501' },
    )
    t.equal((await api.query('select from gyeol.agency')).rowCount, 0)
  })

  t.test('tells when a superuser took a leaf away', async (t) => {
    await database.pool('admin', 1).query(`
      set session_replication_role = replica;
      delete from gyeol.audit_leaf where number = 3`)
    await t.rejects(leafEntries(signer, 0, 10), /gap/)
    await t.rejects(leafHashes(signer, 0, 10), /gap/)
    t.equal((await leafEntries(signer, 4, 10)).length, 10)
  })
})
