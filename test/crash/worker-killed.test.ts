import { test } from 'tap'
import { deliver, makeCohort } from '../support/exchange.ts'
import { doneOnce, isTidy, partsFor, startStage, untilRunning } from './stage.ts'

const rows = 60_000
const parts = 2
const intake = ['intake-keys', 'intake-table']

test('workers killed with kill -9 in the middle of a part lose nothing and double nothing', async (t) => {
  const stage = await startStage(t)
  const { operator, spine, other, roles } = stage
  const delivered = await deliver(other, 'crash', partsFor('visits', parts, rows))
  const killed = await Promise.all(
    (['key', 'data'] as const).map(async (side) => {
      const kind = side === 'key' ? 'intake-keys' : 'intake-table'
      const job = await untilRunning(stage, [kind])
      process.kill(roles.pids()[side] ?? 0, 'SIGKILL')
      return job
    }),
  )
  const beganAt = Date.now()
  const spineDelivered = await deliver(spine, 'crash', partsFor('cases', 1, rows))
  const ended = await stage.jobEnd(other, delivered.job)
  t.match(ended.body, { state: 'done', result: { delivery: 'taken', refused: 0, failed: 0 } })
  t.ok(Date.now() - beganAt < 60_000, 'within a minute, by itself')
  await stage.jobEnd(spine, spineDelivered.job)

  for (const job of killed) {
    const shown = await stage.admin.query(
      'select attempts from gyeol.job where job_id = $1::uuid',
      [job],
    )
    t.ok(Number(shown.rows[0]?.attempts) >= 2, 'its lease was taken over')
  }
  const { jobs } = await doneOnce(t, stage, intake)
  t.equal(jobs, 2 * parts + 2)
  const { linkage, cohort } = await makeCohort(stage, operator, 'crash')
  const linked = (await operator.get(`/v1/linkages/${linkage}`)).body
  t.match(linked, { state: 'linked', persons: rows })
  const map = linked.deliveries.find(
    (each: { delivery: string }) => each.delivery === delivered.delivery,
  )
  t.match(map, { serials: parts * rows, linked: rows })
  const { body } = await operator.get(`/v1/cohorts/${cohort}`)
  t.equal(body.state, 'assembled')
  const visits = body.tables.find((each: { table: string }) => each.table === 'visits')
  t.match(visits, { rows: parts * rows, kept: rows, outside: rows, unknown: 0 })
  await isTidy(t, stage)
})
