import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import type { BellSide } from '../../src/queue/bell.ts'
import {
  type Doorbell,
  type DoorbellConfig,
  listenDoorbell,
  openDoorbell,
} from '../../src/queue/doorbell.ts'
import { startTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

type Where = Omit<DoorbellConfig, 'onError'>
type Ends = { api: Where; key: Where; data: Where }

test('the doorbell on PostgreSQL', async (t) => {
  const database = await startTestDatabase(t)
  const ends = {
    api: { databaseUrl: database.urls.gyeol_api },
    key: { databaseUrl: database.urls.gyeol_key },
    data: { databaseUrl: database.urls.gyeol_data },
  }
  await promises(t, ends, () => everythingInPostgres(database))

  t.test('is of no use to the roles that have no part in it', async (t) => {
    for (const role of ['gyeol_sign', 'gyeol_auditor'] as const) {
      const pool = database.pool(role, 1)
      await t.rejects(pool.query('select from bullmq.job'), { code: '42501' })
    }
    const api = database.pool('gyeol_api', 1)
    await t.rejects(api.query('create table bullmq.x (id integer)'), { code: '42501' })
    await t.rejects(api.query('delete from bullmq.migration'), { code: '42501' })
  })
})

test('the doorbell on Redis', async (t) => {
  const redis = await startTestRedis(t)
  if (redis === undefined) {
    t.pass('there is no redis-server', { skip: 'THE DOORBELL ON REDIS IS NOT TESTED' })
    return
  }
  const where = { redisUrl: redis.url }
  await promises(t, { api: where, key: where, data: where }, () => everythingInRedis(redis.url))

  t.test(
    'never fails and never hangs while Redis is away, and rings when it is back',
    async (t) => {
      const doorbell = await ringing(t, where)
      const heard = await listening(t, where, 'key')
      await redis.stop()
      const startedMs = Date.now()
      for (let round = 0; round < 5; round += 1) await doorbell.ring('key', [randomUUID()])
      t.ok(Date.now() - startedMs < 3_000, 'further rings do not wait')
      await redis.restart()
      const jobId = randomUUID()
      await until(async () => {
        await doorbell.ring('key', [jobId]) // As the reconciler does.
        return heard.includes(jobId)
      }, 'the doorbell rings again')
    },
  )

  t.test('refuses a Redis that drops entries when memory is short', async (t) => {
    const evicting = await startTestRedis(t, { policy: 'allkeys-lru' })
    const config = { redisUrl: evicting?.url, onError: () => {} }
    const refusal = { name: 'Refusal', code: 'queue-refused' }
    await t.rejects(openDoorbell(config), refusal)
    await t.rejects(
      listenDoorbell(config, 'key', 1, async () => {}),
      refusal,
    )
  })

  t.test('does not start without a queue', async (t) => {
    await t.rejects(openDoorbell({ onError: () => {} }), { code: 'queue-refused' })
  })

  t.test('starts while Redis is away, says so, and rings when it is back', async (t) => {
    await redis.stop()
    const said: unknown[] = []
    const onError = (error: unknown): void => void said.push(error)
    const doorbell = await openDoorbell({ ...where, onError })
    t.teardown(() => doorbell.close())
    t.ok(said.length > 0)
    const heard = await listening(t, where, 'key')
    await redis.restart()
    const jobId = randomUUID()
    for (let round = 0; round < 100 && !heard.includes(jobId); round += 1) {
      await doorbell.ring('key', [jobId])
      await sleep(100)
    }
    t.ok(heard.includes(jobId))
  })
})

async function promises(t: Test, ends: Ends, everything: () => Promise<string>): Promise<void> {
  await t.test('brings each job id to its side', async (t) => {
    const doorbell = await ringing(t, ends.api)
    const key = await listening(t, ends.key, 'key')
    const data = await listening(t, ends.data, 'data')
    const ids = Array.from({ length: 1_200 }, () => randomUUID())
    await doorbell.ring('key', ids)
    await doorbell.ring('data', ids.slice(0, 1))
    await until(() => key.length >= 1_200 && data.length >= 1, 'all ids are heard')
    t.equal(key.length, ids.length)
    t.ok(ids.every((id) => key.includes(id)))
    t.same(data, ids.slice(0, 1))
  })

  await t.test(
    'carries ids and nothing else, and keeps nothing of what was answered',
    async (t) => {
      const doorbell = await ringing(t, ends.api)
      const jobId = randomUUID()
      const errors: unknown[] = []
      await doorbell.ring('key', [jobId])
      t.match(await everything(), jobId, 'it lies there')
      const heard = await listening(t, ends.key, 'key', {
        onJob: async () => {
          throw new Error('a secret that must stay in the worker')
        },
        onError: (error) => errors.push(error),
      })
      await until(() => heard.includes(jobId) && errors.length > 0, 'the job has failed')
      t.notMatch(await everything(), /secret/)
      t.match(errors, [{ message: /secret/ }], 'it is told to the worker')
      await doorbell.ring('key', ['not an id'])
      t.notMatch(await everything(), /not an id/)
    },
  )

  await t.test(
    'collapses rings while one waits, and rings again after it was answered',
    async (t) => {
      const doorbell = await ringing(t, ends.api)
      const jobId = randomUUID()
      for (let round = 0; round < 5; round += 1) await doorbell.ring('key', [jobId, jobId])
      const heard = await listening(t, ends.key, 'key')
      await until(() => heard.length > 0, 'the first ring is heard')
      await sleep(300) // Nothing more must come, and it must be answered.
      t.same(heard, [jobId])
      await doorbell.ring('key', [jobId])
      await until(() => heard.length > 1, 'the second ring is heard')
      t.same(heard, [jobId, jobId])
    },
  )

  await t.test(
    'runs no more jobs at once than it was told, and waits for them to close',
    async (t) => {
      const doorbell = await ringing(t, ends.api)
      let running = 0
      let most = 0
      let ended = 0
      const listener = await listenDoorbell(
        { ...ends.key, onError: t.error },
        'key',
        2,
        async () => {
          running += 1
          most = Math.max(most, running)
          await sleep(200)
          running -= 1
          ended += 1
        },
      )
      await doorbell.ring('key', [randomUUID(), randomUUID(), randomUUID(), randomUUID()])
      await until(() => ended >= 2 && running === 2, 'the next two run')
      await listener.close()
      t.equal(running, 0)
      t.equal(most, 2)
    },
  )
}

async function ringing(t: Test, where: Where): Promise<Doorbell> {
  const doorbell = await openDoorbell({ ...where, onError: () => {} })
  t.teardown(() => doorbell.close())
  return doorbell
}

/** The ids a listener has heard, as they come. */
async function listening(
  t: Test,
  where: Where,
  side: BellSide,
  more: { onJob?: () => Promise<void>; onError?: (error: unknown) => void } = {},
): Promise<string[]> {
  const heard: string[] = []
  const config = { ...where, onError: more.onError ?? (() => {}) }
  const listener = await listenDoorbell(config, side, 4, async (jobId) => {
    heard.push(jobId)
    await more.onJob?.()
  })
  t.teardown(() => listener.close())
  return heard
}

/** Every byte that Redis holds. */
async function everythingInRedis(url: string): Promise<string> {
  const redis = new Redis(url)
  const parts: string[] = []
  for (const key of await redis.keys('*')) {
    parts.push(key, (await redis.dumpBuffer(key))?.toString('latin1') ?? '')
    if ((await redis.type(key)) === 'hash') parts.push(JSON.stringify(await redis.hgetall(key)))
    if ((await redis.type(key)) === 'stream') {
      parts.push(JSON.stringify(await redis.xrange(key, '-', '+')))
    }
  }
  redis.disconnect()
  return parts.join('\n')
}

/** Every row of the queue's schema. */
async function everythingInPostgres(database: TestDatabase): Promise<string> {
  const pool = database.pool('admin', 1)
  const tables = await pool.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'bullmq'",
  )
  const parts: string[] = []
  for (const { name } of tables.rows) {
    const rows = await pool.query(`select r::text as row from bullmq.${name} r`)
    parts.push(JSON.stringify(rows.rows))
  }
  return parts.join('\n')
}
