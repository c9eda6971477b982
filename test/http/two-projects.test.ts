import { test } from 'tap'
import { deliver, makeCohort, openTestProject, takeRelease } from '../support/exchange.ts'
import { correlation, ranksByCode } from '../support/orders.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, stageProposal, startHttpStage, tablePart } from './stage.ts'

const people = 200
const policy = {
  name: 'twice',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['csv'],
  tables: { cases: { columns: { code: { rule: 'keep' } } } },
}

test('two projects and two releases with the same people', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  const two = await service.person('another', ['custodian'])
  await openTestProject([operator, two], stageProposal('again'))
  const everybody = await reviewersOf(service, operator)
  const releases: ReturnType<typeof ranksByCode>[] = []
  for (const project of ['hostile', 'again']) {
    for (const [agency, parts] of [
      [spine, [keysPart(people), tablePart('cases', people)]],
      [other, [keysPart(people)]],
    ] as const) {
      await service.jobEnd(operator, (await deliver(agency, project, parts)).job)
    }
    const { cohort } = await makeCohort(service, operator, project)
    for (let round = 0; round < 2; round += 1) {
      releases.push(ranksByCode(await takeRelease(service, everybody, { cohort, policy })))
    }
  }

  await t.test('share no pseudonym', async (t) => {
    t.equal(releases.length, 4)
    for (const release of releases) t.equal(release.size, people, 'the same people')
    const all = releases.flatMap((release) => [...release.values()].map((at) => at.pseudonym))
    t.equal(new Set(all).size, 4 * people)
  })

  await t.test('show no order and no position of the other, nor of the delivery', async (t) => {
    const codes = Array.from({ length: people }, (_, row) => `0${row}`)
    const orders = [
      codes.map((_, row) => row),
      ...releases.map((release) => codes.map((code) => release.get(code)?.rank ?? -1)),
    ]
    for (const [at, one] of orders.entries()) {
      for (const [after, another] of orders.slice(at + 1).entries()) {
        const r = correlation(one, another)
        // Of 200 independent orders one in a hundred thousand correlates by more than 0.32; here are ten pairs.
        t.ok(Math.abs(r) < 0.33, `orders ${at} and ${at + 1 + after}: ${r.toFixed(3)}`)
        const same = one.filter((rank, person) => rank === another[person]).length
        t.ok(same < 10, 'one person in 200 stands at the same place by chance')
      }
    }
  })
})
