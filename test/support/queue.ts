/**
 * Which queue a test uses: the suite runs once with PostgreSQL and once, with
 * GYEOL_TEST_QUEUE=redis, with Redis.
 */
import type { Test } from 'tap'
import type { LoginRole } from '../../src/store/roles.ts'
import type { TestDatabase } from './database.ts'
import { startTestRedis } from './redis.ts'

/** Where the queue is for a process under this role: spread it into a `DoorbellConfig`. */
export type TestQueue = (role: LoginRole) => { redisUrl?: string; databaseUrl?: string }

/**
 * The queue of a test: on the test's database, or on a Redis server of its own when the run asks
 * for Redis.
 *
 * @throws when the run asks for Redis and there is none: such a run must not pass by testing
 *   something else.
 */
export async function startTestQueue(
  t: Pick<Test, 'teardown'>,
  database: TestDatabase,
): Promise<TestQueue> {
  if (process.env['GYEOL_TEST_QUEUE'] !== 'redis') {
    return (role) => ({ databaseUrl: database.urls[role] })
  }
  const redis = await startTestRedis(t)
  const redisUrl = redis?.url ?? process.env['REDIS_URL']
  if (redisUrl === undefined) {
    throw new Error('GYEOL_TEST_QUEUE=redis needs redis-server or REDIS_URL')
  }
  return () => ({ redisUrl })
}
