import { join } from 'node:path'
import pg from 'pg'
import { test } from 'tap'
import { configOf } from '../../src/cli/config.ts'
import { keepDatabase } from '../../src/cli/database-keeper.ts'
import { createLog } from '../../src/cli/log.ts'
import { directory, postmaster, query } from '../support/embedded.ts'
import { until } from '../support/until.ts'

test('a database that was killed is back, although its processes outlive it for a while', async (t) => {
  const home = join(directory(t, 0o755), 'home')
  const lines: string[] = []
  const log = createLog('start', 'info', (line) => lines.push(line))
  const kept = await keepDatabase(configOf({ GYEOL_HOME: home }), log)
  t.teardown(async () => {
    kept.expectEnd()
    await kept.stop()
  })
  let hasFailed = false
  kept.failed.catch(() => {
    hasFailed = true
  })
  const busy = new pg.Client({ connectionString: kept.urls.admin })
  busy.on('error', () => {})
  await busy.connect()
  // It never looks up, so it does not see that its server is gone, and no other may start beside it.
  busy.query('select count(*) from generate_series(1, 30000000)').catch(() => {})
  process.kill(postmaster(home), 'SIGKILL')
  await until(
    () => hasFailed || lines.some((line) => line.includes('the database is back')),
    'it is back',
  )
  t.notOk(hasFailed)
  t.ok(
    lines.some((line) => line.includes('could not be started again')),
    'one try was not enough',
  )
  t.same(await query(kept.urls.admin, 'select 1 as one'), [{ one: 1 }])
})
