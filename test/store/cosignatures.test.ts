import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { appendLeaf } from '../../src/store/audit.ts'
import { insertCheckpoint } from '../../src/store/checkpoints.ts'
import {
  bestCosigned,
  cosignatureLines,
  insertCosignature,
  newestCosigned,
} from '../../src/store/cosignatures.ts'
import { inTransaction } from '../../src/store/pool.ts'
import { countWitnessKeys, insertWitness, retireWitnessOf } from '../../src/store/witnesses.ts'
import { startTestDatabase } from '../support/database.ts'

test('cosignatures', async (t) => {
  const database = await startTestDatabase(t)
  const api = database.pool('gyeol_api', 4)
  const admin = database.pool('admin', 1)
  const [one, other, account] = [randomUUID(), randomUUID(), randomUUID()]
  await admin.query(
    `insert into gyeol.account (account_id, name, password_hash, roles) values ($1, 'kim', '', '{custodian}')`,
    [account],
  )
  for (const [index, project] of [one, other].entries()) {
    await admin.query(
      `insert into gyeol.project (project_id, name, purpose, catalogue, recipe, canaries, rules, mac_algorithm, created_by)
       values ($1, $2, '', '{}', '{}', '{}', '{}', 'cmac-aes-256', $3)`,
      [project, `p${index}`, account],
    )
  }
  await inTransaction(api, 'append', async (tx) => {
    for (let leaf = 0; leaf < 30; leaf += 1) {
      const actor = { kind: 'command', name: 'test' } as const
      await appendLeaf(tx, { actor, action: 'count', object: String(leaf), outcome: 'done' })
    }
  })
  await inTransaction(database.pool('gyeol_sign'), 'sign', async (tx) => {
    for (const size of [10, 20, 30]) {
      const checkpoint = { size, root: Buffer.alloc(32), note: `note ${size}`, verifierKey: 'log' }
      await insertCheckpoint(tx, checkpoint)
    }
  })
  const register = (projectId: string, name: string): Promise<boolean> =>
    inTransaction(api, 'register', (tx) =>
      insertWitness(tx, { projectId, name, verifierKey: `${name}+1+key`, registeredBy: account }),
    )
  const cosign = (size: number, name: string): Promise<boolean> => {
    const line = `— ${name} ${size}\n`
    const verifierKey = `${name}+1+key`
    return insertCosignature(api, { size, verifierKey, line, signedAt: new Date() })
  }
  const best = async (leaf: number, projectId = one): Promise<(number | undefined)[]> => {
    const found = await bestCosigned(api, { projectId, leaf })
    return [found?.size, found?.cosignatures]
  }

  t.test('count for the projects that trust the witness, under one checkpoint', async (t) => {
    for (const name of ['a', 'b', 'c']) t.equal(await register(one, name), true)
    t.equal(await register(other, 'd'), true)
    t.equal(await register(one, 'a'), false)
    t.same(await best(5), [10, 0], 'a checkpoint that nobody cosigned covers the leaf too')
    for (const name of ['a', 'b', 'd']) t.equal(await cosign(20, name), true)
    t.equal(await cosign(20, 'a'), false)
    await cosign(30, 'c')
    t.same(await best(5), [20, 2])
    t.same(await best(5, other), [20, 1], 'the other project trusts one of them only')
    t.same(await best(25), [30, 1])
    t.same(await best(30), [undefined, undefined])
    t.same(await cosignatureLines(api, 20, one), ['— a 20\n', '— b 20\n'])
    t.equal((await cosignatureLines(api, 20)).length, 3)
  })

  t.test('bring the witnesses to one checkpoint', async (t) => {
    t.equal((await newestCosigned(api, 10))?.size, 30)
    t.equal(await newestCosigned(api, 30), undefined)
  })

  t.test('of a witness that was retired count no longer, whenever they were given', async (t) => {
    const retire = (name: string): Promise<string | undefined> =>
      inTransaction(api, 'retire', (tx) => retireWitnessOf(tx, one, name))
    t.equal(await countWitnessKeys(api), 4)
    t.equal(await retire('b'), 'b+1+key')
    t.equal(await retire('b'), undefined)
    t.same(await best(5), [20, 1])
    t.same(await cosignatureLines(api, 20, one), ['— a 20\n'])
    t.equal(await countWitnessKeys(api), 3)
    t.equal(await register(one, 'b'), false, 'its key is not trusted again')
  })
})
