import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import { csvPart, deliver, expect, makeCohort, takeFile, takeRelease } from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, startHttpStage, tableHeader, tablePart } from './stage.ts'

const people = 30
const columns = { code: { rule: 'keep' }, note: { rule: 'keep' } }
const policy = {
  name: 'hostile',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['csv'],
  tables: { cases: { columns }, visits: { columns } },
}
const notes = ['=cmd|calc', '+1', '@x', '-2', '"a ""quoted"", text"', '"two\nlines"', '\u001b[31m']

test('what leaves, to whom and when', async (t) => {
  const stage = await startHttpStage(t)
  const { service, operator, spine, other } = stage
  const lines = notes.map((note, row) => `s1-${row},00${row},20200101,1,${note}`)
  const sent = [
    await deliver(spine, 'hostile', [keysPart(people), tablePart('cases', people)]),
    await deliver(other, 'hostile', [
      keysPart(people),
      csvPart('visits', 1, [tableHeader, ...lines]),
    ]),
  ]
  for (const { job } of sent) {
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const everybody = await reviewersOf(service, operator)
  const { reviewers, head, recipient } = everybody
  const stranger = await service.person('stranger', ['recipient'])
  const both = await service.person('both', ['operator', 'head', 'recipient', 'reviewer'])

  const asked = async (
    by: ApiClient,
    more: { recipient?: string; validUntil?: Date } = {},
  ): Promise<{ path: string; job: string; terms: Record<string, string> }> => {
    const terms = {
      recipient: more.recipient ?? 'recipient',
      purpose: 'A test',
      place: 'Safe room 1',
      validUntil: (more.validUntil ?? new Date(Date.now() + 86_400_000)).toISOString(),
    }
    const wanted = await by.post(`/v1/cohorts/${cohort}/releases`, { policy, ...terms })
    const { release, job } = expect(wanted, 202).body
    await service.jobEnd(operator, job)
    return { path: `/v1/releases/${release}`, job, terms }
  }
  const review = async (path: string): Promise<string> => {
    const { manifestSha256 } = expect(await operator.get(path), 200).body
    for (const [index, kind] of ['relevance', 'recognisability', 'safety'].entries()) {
      const said = { verdict: 'pass', reason: 'A test', declaresNoInterest: true }
      const answer = await reviewers[index]?.post(`${path}/findings`, {
        kind,
        manifestSha256,
        ...said,
      })
      t.equal(answer?.status, 201)
    }
    return manifestSha256
  }
  const name = 'manifest.json'

  await t.test('nothing before approval, and no approval before the findings', async (t) => {
    const { path, terms } = await asked(operator)
    t.equal((await takeFile(recipient, path, name)).status, 409)
    const { manifestSha256 } = (await operator.get(path)).body
    const early = await head.post(`${path}/approval`, { manifestSha256, ...terms })
    t.match(early, { status: 409, body: { type: /:finding-missing$/ } })
    t.equal((await operator.post(`${path}/approval`, { manifestSha256, ...terms })).status, 403)
    const other = 'f'.repeat(64)
    const said = { verdict: 'pass', reason: 'A test', declaresNoInterest: true }
    const finding = { kind: 'safety', manifestSha256: other, ...said }
    t.match(await reviewers[0].post(`${path}/findings`, finding), { status: 409 })
    await review(path)
    for (const changed of [
      { manifestSha256: other },
      { recipient: 'stranger' },
      { place: 'Anywhere' },
      { purpose: 'Another' },
      { validUntil: new Date(Date.now() + 9e8).toISOString() },
    ]) {
      const answer = await head.post(`${path}/approval`, { manifestSha256, ...terms, ...changed })
      t.match(answer, { status: 409, body: { type: /:manifest-differs$/ } })
    }
    t.equal((await takeFile(recipient, path, name)).status, 409, 'still no byte')
    const twice = await reviewers[0].post(`${path}/findings`, {
      kind: 'relevance',
      manifestSha256,
      ...said,
    })
    t.equal(twice.status, 409)
  })

  await t.test('nobody reviews, approves or receives what they asked for', async (t) => {
    const { path, terms } = await asked(both)
    const manifestSha256 = await review(path)
    const own = await both.post(`${path}/approval`, { manifestSha256, ...terms })
    t.match(own, { status: 403, body: { type: /:own-act$/ } })
    const forMyself = await asked(operator, { recipient: 'both' })
    const digest = await review(forMyself.path)
    const approval = { manifestSha256: digest, ...forMyself.terms }
    t.match(await both.post(`${forMyself.path}/approval`, approval), { status: 403 })
    const said = { kind: 'safety', verdict: 'pass', reason: 'x', declaresNoInterest: true }
    const finding = { manifestSha256: digest, ...said }
    t.match(await both.post(`${forMyself.path}/findings`, finding), { status: 403 })
  })

  await t.test('only its recipient takes a release, and only in its period', async (t) => {
    const validUntil = new Date(Date.now() + 6_000)
    const { path, terms } = await asked(operator, { validUntil })
    const manifestSha256 = await review(path)
    const approved = await head.post(`${path}/approval`, { manifestSha256, ...terms })
    await service.jobEnd(operator, expect(approved, 202).body.job)
    t.equal((await takeFile(recipient, path, name)).status, 200)
    t.equal((await takeFile(stranger, path, name)).status, 403)
    t.equal((await takeFile(operator, path, name)).status, 403)
    t.equal((await takeFile(recipient, path, '..%2F..%2Fmanifest.json')).status, 404)
    await sleep(Math.max(0, validUntil.getTime() - Date.now()) + 50)
    const late = await takeFile(recipient, path, name)
    t.match(late, { status: 403, body: { type: /:outside-period$/ } })
    const past = { ...terms, validUntil: new Date(Date.now() - 1000).toISOString() }
    const asks = await operator.post(`/v1/cohorts/${cohort}/releases`, { policy, ...past })
    t.match(asks, { status: 403, body: { type: /:outside-period$/ } })
  })

  await t.test(
    'cells that a spreadsheet would obey leave as text, codes with their zeros',
    async (t) => {
      const files = await takeRelease(service, everybody, { cohort, policy })
      const [csv = ''] = [...files]
        .filter(([file]) => file.startsWith('data/visits/'))
        .map(([, bytes]) => bytes.toString())
      t.match(csv, /000/)
      t.match(csv, /"a ""quoted"", text"/)
      t.match(csv, /"two\nlines"/)
      t.notMatch(csv, /(^|,)"?[=+@-]/m, 'no cell begins as a formula')
      t.match(csv, /'=cmd\|calc/)
    },
  )
})
