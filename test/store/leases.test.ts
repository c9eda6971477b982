import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import {
  childrenOf,
  insertJobs,
  jobOf,
  jobsWithoutLease,
  type NewJob,
} from '../../src/store/jobs.ts'
import {
  type ClaimedJob,
  claimJob,
  endLease,
  LeaseLost,
  renewLease,
} from '../../src/store/leases.ts'
import { inTransaction } from '../../src/store/pool.ts'
import { startTestDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

test('jobs and leases', async (t) => {
  const database = await startTestDatabase(t)
  const api = database.pool('gyeol_api')
  const pool = database.pool('gyeol_key')
  const dataSide = database.pool('gyeol_data')
  const projectId = randomUUID()
  await database.pool('admin', 1).query(`
    insert into gyeol.account (account_id, name, password_hash, roles) values (gen_random_uuid(), 'kim', '', '{}');
    insert into gyeol.project (project_id, name, purpose, catalogue, recipe, canaries, rules, mac_algorithm, created_by)
    select '${projectId}', 'p', '', '{}', '{}', '{}', '{}', 'cmac-aes-256', account_id from gyeol.account`)

  const isWithoutLease = async ({ jobId }: NewJob): Promise<boolean> =>
    (await jobsWithoutLease(pool, 'key', 100)).includes(jobId)
  const newJob = (more: Partial<NewJob> = {}): NewJob => ({
    jobId: randomUUID(),
    projectId,
    side: 'key',
    kind: 'intake-keys',
    subject: { delivery: randomUUID() },
    ...more,
  })
  const store = async (...jobs: NewJob[]): Promise<void> => {
    await inTransaction(api, 'store-jobs', (tx) => insertJobs(tx, jobs))
  }
  const claim = async (jobId: string, leaseMs = 60_000): Promise<ClaimedJob> => {
    const claimed = await claimJob(pool, jobId, leaseMs)
    if (claimed === undefined) throw new Error('nothing to claim')
    return claimed
  }

  t.test('keeps what it was given', async (t) => {
    const job = newJob()
    await store(job)
    t.match(await jobOf(api, job.jobId), { ...job, state: 'queued', attempts: 0, parentId: null })
    t.equal(await jobOf(api, randomUUID()), undefined)
  })

  t.test('gives a job to one of many that claim it at once', async (t) => {
    const job = newJob()
    await store(job)
    const claims = await Promise.all(
      Array.from({ length: 8 }, () => claimJob(pool, job.jobId, 60_000)),
    )
    t.equal(claims.filter((claimed) => claimed !== undefined).length, 1)
    t.match(await jobOf(api, job.jobId), { state: 'running', attempts: 1 })
  })

  t.test('finishes a job once, with its effect', async (t) => {
    const job = newJob()
    await store(job)
    const lease = await claim(job.jobId)
    const finish = (): Promise<unknown> =>
      inTransaction(pool, 'finish', (tx) =>
        endLease(tx, lease, { state: 'done', result: { rows: 3 } }),
      )
    t.same(await finish(), [])
    t.match(await jobOf(api, job.jobId), { state: 'done', result: { rows: 3 }, refusal: null })
    await t.rejects(finish(), LeaseLost, 'not twice')
    t.equal(await claimJob(pool, job.jobId, 60_000), undefined, 'not claimed again')
  })

  t.test('lets another take over after the lease, and the late one writes nothing', async (t) => {
    const job = newJob()
    await store(job)
    const late = await claim(job.jobId, 500)
    t.equal(await claimJob(pool, job.jobId, 500), undefined, 'not before')
    await until(() => isWithoutLease(job), 'the reconciler sees it')
    const second = await claim(job.jobId)
    t.equal(second.attempts, 2)
    await t.rejects(renewLease(pool, late, 60_000), LeaseLost)
    await t.rejects(
      inTransaction(pool, 'late', async (tx) => {
        await tx.query(`update gyeol.linkage set report = '{}'`)
        await endLease(tx, late, { state: 'done', result: {} })
      }),
      LeaseLost,
    )
    t.match(await jobOf(api, job.jobId), { state: 'running', attempts: 2 })
  })

  t.test('lets a late holder finish when nobody took over', async (t) => {
    const job = newJob()
    await store(job)
    const lease = await claim(job.jobId, 10)
    await until(() => isWithoutLease(job), 'the lease is over')
    await inTransaction(pool, 'finish', (tx) => endLease(tx, lease, { state: 'done', result: {} }))
    t.match(await jobOf(api, job.jobId), { state: 'done' })
  })

  t.test('holds a renewed job and tells its progress', async (t) => {
    const job = newJob()
    await store(job)
    const lease = await claim(job.jobId, 100)
    await renewLease(pool, lease, 60_000, { rows: 5 })
    await sleep(150)
    t.equal(await claimJob(pool, job.jobId, 60_000), undefined)
    await renewLease(pool, lease, 60_000)
    t.match(await jobOf(api, job.jobId), { progress: { rows: 5 } })
  })

  t.test('keeps back a job released for later, by the time of the database', async (t) => {
    const job = newJob()
    await store(job)
    const lease = await claim(job.jobId)
    await inTransaction(pool, 'release', (tx) =>
      endLease(tx, lease, { state: 'queued', delayMs: 500 }),
    )
    t.notOk(await isWithoutLease(job))
    t.equal(await claimJob(pool, job.jobId, 60_000), undefined)
    await until(() => isWithoutLease(job), 'it may be claimed')
    t.equal((await claim(job.jobId)).attempts, 2)
  })

  t.test('records a refusal', async (t) => {
    const job = newJob()
    await store(job)
    const lease = await claim(job.jobId)
    const refusal = { code: 'digest-differs', sentence: 'Send it again.', details: { part: 1 } }
    await inTransaction(pool, 'fail', (tx) => endLease(tx, lease, { state: 'failed', refusal }))
    t.match(await jobOf(api, job.jobId), { state: 'failed', refusal, result: null })
  })

  t.test('wakes a parent of either side once, when its last children end at once', async (t) => {
    const parent = newJob({ side: 'data', kind: 'take-delivery', state: 'waiting' })
    const children = Array.from({ length: 6 }, (_, index) =>
      newJob({ parentId: parent.jobId, side: index % 2 === 0 ? 'key' : 'data' }),
    )
    await store(parent, ...children)
    t.equal(await claimJob(dataSide, parent.jobId, 60_000), undefined, 'it waits')
    const woken = await Promise.all(
      children.map(async ({ jobId, side }, index) => {
        const own = side === 'key' ? pool : dataSide
        const lease = await claimJob(own, jobId, 60_000)
        if (lease === undefined) throw new Error('nothing to claim')
        return inTransaction(own, 'end-child', (tx) =>
          endLease(
            tx,
            lease,
            index === 0
              ? { state: 'failed', refusal: { code: 'x', sentence: 'x', details: {} } }
              : { state: 'done', result: { rows: index } },
          ),
        )
      }),
    )
    t.same(woken.flat(), [{ jobId: parent.jobId, side: 'data' }])
    const ended = await childrenOf(dataSide, parent.jobId)
    t.equal(ended.length, 6)
    t.equal(ended.filter((child) => child.state === 'failed').length, 1)
    t.ok(await claimJob(dataSide, parent.jobId, 60_000))
  })

  t.test('lets a job store children and wait for them', async (t) => {
    const parent = newJob()
    await store(parent)
    const lease = await claim(parent.jobId)
    const child = newJob({ parentId: parent.jobId })
    await inTransaction(pool, 'split', async (tx) => {
      await insertJobs(tx, [child])
      await endLease(tx, lease, { state: 'waiting' })
    })
    t.match(await jobOf(api, parent.jobId), { state: 'waiting' })
    const childLease = await claim(child.jobId)
    const woken = await inTransaction(pool, 'end', (tx) =>
      endLease(tx, childLease, { state: 'done', result: {} }),
    )
    t.same(woken, [{ jobId: parent.jobId, side: 'key' }])
  })

  t.test('lists only jobs of the side that is asked for', async (t) => {
    const job = newJob({ side: 'data' })
    await store(job)
    t.notOk((await jobsWithoutLease(pool, 'key', 100)).includes(job.jobId))
    t.ok((await jobsWithoutLease(pool, 'data', 100)).includes(job.jobId))
    t.equal((await jobsWithoutLease(pool, 'data', 1)).length, 1)
  })
})
