import { test } from 'tap'
import { deliver, expect } from '../support/exchange.ts'
import { keysPart, startHttpStage, tablePart } from './stage.ts'

test('what an agency takes back of what was taken in', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  const sent = async (agency: typeof spine, parts: Parameters<typeof deliver>[2], wave = 1) => {
    const { delivery, job } = await deliver(agency, 'hostile', parts, wave)
    await service.jobEnd(operator, job)
    t.match(await agency.get(`/v1/deliveries/${delivery}`), { body: { state: 'taken' } })
    return `/v1/deliveries/${delivery}`
  }
  const linked = async () => {
    const { job } = expect(await operator.post('/v1/projects/hostile/linkages'), 202).body
    return (await service.jobEnd(operator, job)).body
  }
  const registry = await sent(spine, [keysPart(20), tablePart('cases', 20)])

  await t.test('a delivery that no linkage can take is made again', async (t) => {
    const twice = await sent(other, [keysPart(20), { ...keysPart(20), number: 2 }])
    t.match(await linked(), { state: 'failed', refusal: { code: 'input-malformed' } })
    t.equal((await spine.delete(twice)).status, 404, 'by whom it is of')
    t.equal((await other.delete(twice)).status, 204)
    t.match((await other.get(twice)).body, { state: 'withdrawn' })
    t.equal((await other.delete(twice)).status, 409, 'once')
    const again = await sent(other, [keysPart(20)])
    t.match(await linked(), { state: 'done' })
    for (const [agency, path] of [
      [spine, registry],
      [other, again],
    ] as const) {
      const answer = await agency.delete(path)
      t.match(answer, { status: 409, body: { type: /:state-conflict$/ } }, 'linked is linked')
    }
  })

  await t.test('keys on which tables rest stay', async (t) => {
    const keys = await sent(other, [{ ...keysPart(5, 7), number: 1 }], 2)
    const tables = [{ ...tablePart('visits', 5, 7), number: 1 }]
    await sent(other, tables, 2)
    t.equal((await other.delete(keys)).status, 409)
  })
})
