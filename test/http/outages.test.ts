import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { Pool } from '../../src/store/pool.ts'
import { expect, manifestOf, partPath } from '../support/exchange.ts'
import { until } from '../support/until.ts'
import { type HttpStage, keysPart, openDelivery, startHttpStage, tablePart } from './stage.ts'

const keys = keysPart(200)
const table = tablePart('visits', 200)

type Submitted = { delivery: string; job: string }

test('what is away for a while refuses no delivery', async (t) => {
  const stage = await startHttpStage(t)
  const { service, other } = stage
  const admin = service.database.pool('admin', 1)
  const vault = join(service.home, 'vault')
  const away = join(service.home, 'elsewhere')

  await t.test('the vault is not mounted', async (t) => {
    const submitted = await submittedWhile(stage, 1, () => renameSync(vault, away))
    await handedBack(admin, submitted, 2)
    const late = await openDelivery(other, 9)
    t.equal((await other.put(partPath(late, keys), keys.bytes)).status, 503)
    renameSync(away, vault)
    await isTaken(t, stage, submitted)
    expect(await other.put(partPath(late, keys), keys.bytes), 201)
    expect(await other.delete(`/v1/deliveries/${late}`), 204)
  })

  await t.test('a keyring may be read by others', async (t) => {
    const keyring = join(service.home, 'key.keyring')
    const submitted = await submittedWhile(stage, 2, () => chmodSync(keyring, 0o644))
    await handedBack(admin, submitted, 1)
    chmodSync(keyring, 0o600)
    await isTaken(t, stage, submitted)
  })

  await t.test('scratch cannot be made', async (t) => {
    const scratch = join(service.home, 'scratch-key')
    const submitted = await submittedWhile(stage, 4, () => {
      renameSync(scratch, away)
      writeFileSync(scratch, 'no directory')
    })
    const isQueued = `select from gyeol.job
      where parent_id = $1::uuid and kind = 'intake-keys' and state = 'queued' and attempts > 0`
    await until(
      async () => (await admin.query(isQueued, [submitted.job])).rowCount === 1,
      'the job is handed back, and not left to its lease',
    )
    rmSync(scratch)
    renameSync(away, scratch)
    await isTaken(t, stage, submitted)
  })

  await t.test('the disk of the database is full for longer than a defect is tried', async (t) => {
    const submitted = await submittedWhile(stage, 3, () =>
      admin.query(`
        create function gyeol.full() returns trigger language plpgsql as $$
          begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
        create trigger full_disk before update on gyeol.part execute function gyeol.full()`),
    )
    await handedBack(admin, submitted, 2)
    const atOnce = `update gyeol.job set attempts = 100, outages = 100, run_after = now()
      where parent_id = $1::uuid and state = 'queued'`
    await admin.query(atOnce, [submitted.job])
    await until(async () => (await least(admin, submitted, 'outages')) > 100, 'tried again')
    await admin.query('drop function gyeol.full cascade')
    await admin.query(atOnce, [submitted.job])
    await isTaken(t, stage, submitted)
  })
})

test('a job under which every worker dies is given up at last', async (t) => {
  const stage = await startHttpStage(t)
  const { service, other } = stage
  const admin = service.database.pool('admin', 1)
  const vault = join(service.home, 'vault')
  const submitted = await submittedWhile(stage, 1, () => renameSync(vault, `${vault}.away`))
  await handedBack(admin, submitted, 2)
  await admin.query(
    `update gyeol.job set attempts = 30, outages = 3
     where parent_id = $1::uuid and kind = 'intake-keys'`,
    [submitted.job],
  )
  renameSync(`${vault}.away`, vault)
  const { body } = await service.jobEnd(other, submitted.job)
  t.match(body, { state: 'done', result: { delivery: 'refused', failed: 1, refused: 1 } })
})

/** A delivery that is submitted when something has just gone away. */
async function submittedWhile(
  { other }: HttpStage,
  wave: number,
  goAway: () => unknown,
): Promise<Submitted> {
  const delivery = await openDelivery(other, wave)
  for (const part of [keys, table]) {
    expect(await other.put(partPath(delivery, part), part.bytes), 201)
  }
  await goAway()
  const path = `/v1/deliveries/${delivery}/submission`
  const { job } = expect(await other.post(path, manifestOf([keys, table], wave)), 202).body
  return { delivery, job }
}

/** Waits until so many of the jobs of the parts were handed back. */
async function handedBack(admin: Pool, { job }: Submitted, jobs: number): Promise<void> {
  await until(async () => {
    const { rowCount } = await admin.query(
      `select from gyeol.job where parent_id = $1::uuid and state = 'queued' and outages > 0`,
      [job],
    )
    return (rowCount ?? 0) >= jobs
  }, 'the jobs wait')
}

async function least(admin: Pool, { job }: Submitted, column: 'outages'): Promise<number> {
  const { rows } = await admin.query<{ least: number }>(
    `select min(${column}) as least from gyeol.job where parent_id = $1::uuid`,
    [job],
  )
  return Number(rows[0]?.least)
}

async function isTaken(t: Test, { service, other }: HttpStage, submitted: Submitted) {
  const { body } = await service.jobEnd(other, submitted.job)
  t.match(body, { state: 'done', result: { delivery: 'taken', refused: 0, failed: 0 } })
}
