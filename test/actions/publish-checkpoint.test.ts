import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { createSigner } from '../../src/actions/publish-checkpoint.ts'
import { openCheckpoint } from '../../src/core/checkpoint.ts'
import { createKeyring } from '../../src/keys/open-keyring.ts'
import { argon2Least } from '../../src/keys/passphrase.ts'
import { appendLeaf } from '../../src/store/audit.ts'
import { latestCheckpoint } from '../../src/store/checkpoints.ts'
import { inTransaction } from '../../src/store/pool.ts'
import { startTestDatabase } from '../support/database.ts'

const origin = 'gyeol.test/trail'

async function trailOf(t: Test, leaves: number) {
  const database = await startTestDatabase(t)
  const directory = mkdtempSync(join(tmpdir(), 'gyeol-signer-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const keyring = await createKeyring({
    path: join(directory, 'sign.keyring'),
    side: 'sign',
    passphrase: randomBytes(32),
    createdBy: 'one',
    approvedBy: 'two',
    now: new Date(),
    argon2: argon2Least,
  })
  const pool = database.pool('gyeol_sign')
  const append = (count: number): Promise<void> =>
    inTransaction(pool, 'append', async (tx) => {
      for (let index = 0; index < count; index += 1) {
        const actor = { kind: 'command', name: 'test' } as const
        await appendLeaf(tx, { actor, action: 'count', object: String(index), outcome: 'done' })
      }
    })
  await append(leaves)
  const newSigner = () => createSigner({ pool, keyring, origin })
  /** What a superuser can do whom no trigger stops. */
  const meddle = async (statement: string): Promise<void> => {
    const admin = await database.pool('admin', 1).connect()
    await admin.query(`set session_replication_role = replica; ${statement}`)
    admin.release(true)
  }
  return { pool, append, newSigner, meddle }
}

test('signs what is new, and nothing when nothing is', async (t) => {
  const { pool, append, newSigner } = await trailOf(t, 5)
  const signer = newSigner()
  t.equal(await signer.publish(), 5)
  t.equal(await signer.publish(), undefined)
  await append(2)
  t.equal(await signer.publish(), 7)
  t.equal(await newSigner().publish(), undefined, 'another signer goes on from there')
  const newest = await latestCheckpoint(pool)
  t.match(openCheckpoint(newest?.note ?? '', [newest?.verifierKey ?? '']), { origin, size: 7 })
})

test('signs no history that was changed, however often it is asked', async (t) => {
  const { append, newSigner, meddle } = await trailOf(t, 5)
  await newSigner().publish()
  await meddle(`update gyeol.audit_leaf set entry = '\\x7b7d' where number = 2`)
  await append(1)
  const signer = newSigner()
  for (let tries = 0; tries < 3; tries += 1) {
    await t.rejects(signer.publish(), /the trail was changed/)
  }
})

test('signs no trail that became shorter', async (t) => {
  const { newSigner, meddle } = await trailOf(t, 5)
  const signer = newSigner()
  await signer.publish()
  await meddle(
    `delete from gyeol.audit_leaf where number = 4; update gyeol.audit_head set size = 4`,
  )
  await t.rejects(signer.publish(), /shorter/)
  await t.rejects(newSigner().publish(), /shorter/)
})
