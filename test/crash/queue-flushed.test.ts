import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { deliver, makeCohort } from '../support/exchange.ts'
import { startTestRedis } from '../support/redis.ts'
import { doneOnce, isTidy, partsFor, type Stage, startStage } from './stage.ts'

const rows = 4_000
const parts = 6
const flushesMax = 5
const intake = ['intake-keys', 'intake-table', 'take-delivery']

test('nothing is lost when Redis is flushed again and again during a run', async (t) => {
  const redis = await startTestRedis(t)
  if (redis === undefined) {
    t.pass('there is no redis-server', { skip: 'A FLUSHED REDIS IS NOT TESTED' })
    return
  }
  const stage = await startStage(t, { REDIS_URL: redis.url })
  const client = new Redis(redis.url)
  client.on('error', () => {}) // It is killed below.
  t.teardown(() => client.disconnect())
  await runsThrough(t, stage, () => client.flushall())

  await redis.restart()
  await t.test('nor when it was killed and is back with nothing', async (t) => {
    const beganAt = Date.now()
    const { cohort } = await makeCohort(stage, stage.operator, 'crash')
    t.ok(Date.now() - beganAt < 30_000)
    t.equal((await stage.operator.get(`/v1/cohorts/${cohort}`)).body.state, 'assembled')
  })
  await t.test('nor while it is away', async (t) => {
    await redis.stop()
    const beganAt = Date.now()
    const { job } = (await stage.operator.post('/v1/projects/crash/linkages')).body
    t.equal((await stage.jobEnd(stage.operator, job)).body.state, 'done')
    t.ok(Date.now() - beganAt < 30_000, 'the workers look for themselves')
  })
})

test('nothing is lost when the tables of the queue on PostgreSQL are emptied', async (t) => {
  const stage = await startStage(t, { REDIS_URL: '' })
  const tables = await stage.admin.query<{ name: string }>(
    `select string_agg('bullmq.' || quote_ident(tablename), ', ') as name
     from pg_tables where schemaname = 'bullmq' and tablename <> 'migration'`,
  )
  const truncate = async (): Promise<void> => {
    try {
      await stage.admin.query(`truncate ${tables.rows[0]?.name}`)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === '40P01')) throw error
      await truncate() // Its locks and the queue's own met; one of the two had to begin again.
    }
  }
  await runsThrough(t, stage, truncate)
})

/** A delivery whose queue is emptied as often as jobs end, then a linkage and a cohort. */
async function runsThrough(t: Test, stage: Stage, flush: () => Promise<unknown>): Promise<void> {
  const { operator, spine, other, admin } = stage
  const first = await deliver(spine, 'crash', partsFor('cases', 1, rows))
  const beganAt = Date.now()
  const { job } = await deliver(other, 'crash', partsFor('visits', parts, rows))
  let flushes = 0
  let isOver = false
  const flushing = (async () => {
    for (let ended = -1; !isOver && flushes < flushesMax; await sleep(20)) {
      const found = await admin.query<{ ended: number }>(
        "select count(*) as ended from gyeol.job where state = 'done'",
      )
      const now = Number(found.rows[0]?.ended)
      if (now === ended) continue
      ended = now
      await flush()
      flushes += 1
    }
  })()
  const { body } = await stage.jobEnd(other, job)
  isOver = true
  await flushing
  t.ok(flushes >= 3, `${flushes} times in the middle`)
  t.ok(Date.now() - beganAt < 60_000, 'it ends by itself within a minute')
  t.match(body, { state: 'done', result: { delivery: 'taken', parts: 2 * parts } })
  await stage.jobEnd(spine, first.job)
  await doneOnce(t, stage, intake)
  const { linkage } = await makeCohort(stage, operator, 'crash')
  const linked = (await operator.get(`/v1/linkages/${linkage}`)).body
  t.equal(linked.persons, rows)
  await isTidy(t, stage)
}
