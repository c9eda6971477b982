import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { sweepVault } from '../../src/actions/sweep-vault.ts'
import { searchLeaves } from '../../src/store/audit.ts'
import { openVault } from '../../src/vault/vault.ts'
import { startTestDatabase } from '../support/database.ts'

test('removes old objects that nothing names, with a leaf, and leaves young ones', async (t) => {
  const database = await startTestDatabase(t)
  const pool = database.pool('gyeol_api')
  const directory = mkdtempSync(join(tmpdir(), 'gyeol-sweep-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const vault = await openVault(directory)
  const now = new Date()
  const hourAgo = new Date(now.getTime() - 3_600_000)
  const dayAgo = new Date(now.getTime() - 86_400_000)
  const put = (writtenAt: Date): string => {
    const id = randomUUID()
    const path = join(directory, id.slice(0, 2), id)
    mkdirSync(join(directory, id.slice(0, 2)), { recursive: true })
    writeFileSync(path, 'sealed')
    utimesSync(path, writtenAt, writtenAt)
    return id
  }
  const young = put(hourAgo)
  const old = put(dayAgo)
  t.match(await sweepVault({ pool, vault }, now), { orphans: 1 })
  t.same(readdirSync(join(directory, young.slice(0, 2))).includes(young), true)
  t.same(readdirSync(join(directory, old.slice(0, 2))).includes(old), false)
  const [leaf] = await searchLeaves(pool, { action: 'sweep-vault', limit: 10 })
  t.match(JSON.parse(leaf?.entry.toString() ?? ''), {
    counts: { orphans: 1 },
    actor: { name: 'api' },
  })
  t.match(await sweepVault({ pool, vault }, now), { orphans: 0 })
  t.equal(
    (await searchLeaves(pool, { action: 'sweep-vault', limit: 10 })).length,
    1,
    'no leaf for nothing',
  )
})
