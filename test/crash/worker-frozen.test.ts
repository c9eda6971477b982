import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { openRinger } from '../../src/queue/connection.ts'
import { deliver, expect } from '../support/exchange.ts'
import { GyeolProcess } from '../support/gyeol.ts'
import { doneOnce, isTidy, partsFor, startStage, untilRunning } from './stage.ts'

const rows = 100_000

test('a worker that was frozen and wakes when another has its job writes nothing', async (t) => {
  const stage = await startStage(t)
  const { operator, spine, other, roles, admin } = stage
  for (const [agency, table] of [
    [spine, 'cases'],
    [other, 'visits'],
  ] as const) {
    await stage.jobEnd(agency, (await deliver(agency, 'crash', partsFor(table, 1, rows))).job)
  }
  const wanted = expect(await operator.post('/v1/projects/crash/linkages'), 202).body
  t.equal(await untilRunning(stage, ['link']), wanted.job)
  const frozen = roles.pids().key ?? 0
  process.kill(frozen, 'SIGSTOP')
  const second = new GyeolProcess(['work', '--side', 'key'], stage.environmentOf('key'))
  t.teardown(async () => {
    second.child.kill('SIGKILL')
    await second.ended
  })
  const { body } = await stage.jobEnd(operator, wanted.job)
  t.match(body, { state: 'done', attempts: 2 })
  const state = async (): Promise<unknown> => [
    (await admin.query('select * from gyeol.linkage')).rows,
    (await admin.query('select * from gyeol.link_map order by delivery_id')).rows,
    (await admin.query('select * from gyeol.vault_object order by object_id')).rows,
    (await admin.query('select * from gyeol.job order by job_id')).rows,
    (await admin.query("select number from gyeol.audit_leaf where action = 'link'")).rows,
  ]
  const before = await state()
  process.kill(frozen, 'SIGCONT')
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 50) {
    if (stage.lines.some((line) => line.includes('job lost to another worker'))) break
    await sleep(50)
  }
  t.ok(stage.lines.some((line) => line.includes('job lost to another worker')))
  t.same(await state(), before, 'not a row differs')
  await doneOnce(t, stage, ['link'])

  await t.test('a job that is brought three times at once is done once', async (t) => {
    const { linkage, job } = expect(await operator.post('/v1/projects/crash/linkages'), 202).body
    const { redisUrl } = stage.config
    const config = { redisUrl, databaseUrl: roles.databaseUrls.gyeol_api, onError: t.error }
    const ringer = openRinger(config, 'key')
    // Bells of different names, so that the queue cannot know that they are the same.
    const bells = [1, 2, 3].map(() => ringer.add('bell', { jobId: job }, { jobId: randomUUID() }))
    await Promise.all(bells)
    const ended = await stage.jobEnd(operator, job)
    t.match(ended.body, { state: 'done', attempts: 1 })
    await ringer.close()
    t.match((await operator.get(`/v1/linkages/${linkage}`)).body, { persons: rows })
    await doneOnce(t, stage, ['link'])
  })
  await isTidy(t, stage)
})
