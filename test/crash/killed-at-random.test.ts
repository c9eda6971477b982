import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import { postmaster } from '../support/embedded.ts'
import { deliver, expect } from '../support/exchange.ts'
import { until } from '../support/until.ts'
import { doneOnce, isTidy, partsFor, type Stage, startStage } from './stage.ts'

const rows = 20_000
const parts = 3
const killsAStage = 2
const pauseMsMax = 400
const victims = ['key', 'data', 'sign', 'postgres'] as const

test('workers, signer and database killed at random in every stage lose and double nothing', async (t) => {
  const stage = await startStage(t)
  const { operator, spine, other } = stage
  const killed: string[] = []
  const endedUnderFire = async (client: ApiClient, job: string): Promise<object> => {
    const ended = stage.jobEnd(client, job)
    await killSome(stage, killed, ended)
    return (await ended).body
  }
  for (const [agency, table, count] of [
    [spine, 'cases', 1],
    [other, 'visits', parts],
  ] as const) {
    const { job } = await deliver(agency, 'crash', partsFor(table, count, rows))
    const taken = { state: 'done', result: { delivery: 'taken', refused: 0, failed: 0 } }
    t.match(await endedUnderFire(agency, job), taken)
    await untilItAnswers(stage)
  }
  const asked = expect(await operator.post('/v1/projects/crash/linkages'), 202).body
  t.match(await endedUnderFire(operator, asked.job), { state: 'done' })
  await untilItAnswers(stage)
  const linked = expect(await operator.get(`/v1/linkages/${asked.linkage}`), 200).body
  t.match(linked, { state: 'linked', persons: rows })
  const cohortsPath = '/v1/projects/crash/cohorts'
  const wanted = expect(await operator.post(cohortsPath, { linkage: asked.linkage }), 202).body
  t.match(await endedUnderFire(operator, wanted.job), { state: 'done', result: { failed: 0 } })
  await untilItAnswers(stage)
  const { body } = await operator.get(`/v1/cohorts/${wanted.cohort}`)
  const visits = body.tables.find((each: { table: string }) => each.table === 'visits')
  t.match(visits, { rows: parts * rows, kept: rows, outside: (parts - 1) * rows, unknown: 0 })
  t.comment(`killed: ${killed.join(', ')}`)
  t.ok(killed.length > 0, 'somebody was killed while work was under way')
  await doneOnce(t, stage, ['intake-keys', 'intake-table', 'take-delivery', 'link'])
  await doneOnce(t, stage, ['assemble-part', 'assemble-cohort'])
  await isTidy(t, stage)
})

/** Kills a few while a job is under way, with pauses that nobody chose. */
async function killSome(stage: Stage, killed: string[], ended: Promise<unknown>): Promise<void> {
  let hasEnded = false
  const end = ended.finally(() => {
    hasEnded = true
  })
  for (let kills = 0; kills < killsAStage; kills += 1) {
    await Promise.race([end, sleep(Math.random() * pauseMsMax)])
    if (hasEnded) return
    const victim = victims[Math.floor(Math.random() * victims.length)] ?? 'key'
    if (kill(stage, victim)) killed.push(victim)
  }
}

/** False for one that is being started again just now. */
function kill({ config, roles }: Stage, victim: (typeof victims)[number]): boolean {
  try {
    const pid = victim === 'postgres' ? postmaster(config.home) : roles.pids()[victim]
    return pid !== undefined && process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

async function untilItAnswers({ admin, operator }: Stage): Promise<void> {
  await until(async () => {
    if (!(await admin.query('select').catch(() => undefined))) return false
    return (await operator.get('/v1/projects/crash')).status === 200
  }, 'the service answers again')
}
