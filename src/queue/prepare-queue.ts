/**
 * BullMQ's tables on PostgreSQL. Only the migrating role makes them; the processes may use and not
 * change them.
 */
import { createHash } from 'node:crypto'
import { createPostgresBackend, Queue } from 'bullmq'
import pg from 'pg'
import { queueName, queueSchema } from './bell.ts'

const queueRoles = ['gyeol_api', 'gyeol_key', 'gyeol_data'] as const

/**
 * Brings the queue's schema to the version of this release and lets the roles that ring and listen
 * use it.
 *
 * @param migrateUrl - of `gyeol_migrate`, after `provisionRoles`. The tables belong to
 *   `gyeol_owner`.
 */
export async function prepareQueue(migrateUrl: string): Promise<void> {
  const queue = new Queue(
    'gyeol-migrate',
    {
      connection: {
        connectionString: migrateUrl,
        schema: queueSchema,
        migrate: true,
        max: 1,
        connectionTimeoutMillis: 5_000,
        options: '-c role=gyeol_owner',
      },
    },
    createPostgresBackend,
  )
  try {
    await queue.waitUntilReady()
  } finally {
    await queue.close()
  }
  await grantQueue(migrateUrl)
}

const queues = (['key', 'data'] as const).map(queueName)

/**
 * BullMQ numbers the jobs of a queue by a sequence that it makes at first use, which the roles that
 * ring may not.
 */
function sequenceSql(queue: string): string {
  const digest = createHash('md5').update(queue).digest('hex')
  return `create sequence if not exists ${queueSchema}.bullmq_jid_${digest};`
}

async function grantQueue(migrateUrl: string): Promise<void> {
  const roles = queueRoles.join(', ')
  const client = new pg.Client({
    connectionString: migrateUrl,
    connectionTimeoutMillis: 5_000,
    options: '-c role=gyeol_owner',
  })
  await client.connect()
  try {
    await client.query(`
      begin;
      ${queues.map(sequenceSql).join('\n      ')}
      grant usage on schema ${queueSchema} to ${roles};
      grant select, insert, update, delete on all tables in schema ${queueSchema} to ${roles};
      revoke insert, update, delete on ${queueSchema}.migration from ${roles};
      grant usage on all sequences in schema ${queueSchema} to ${roles};
      revoke execute on all functions in schema ${queueSchema} from public;
      grant execute on all functions in schema ${queueSchema} to ${roles};
      commit`)
  } finally {
    await client.end()
  }
}
