import { test } from 'tap'
import { shownDisclosureSchema } from '../../src/core/shown-disclosure.ts'
import { deliver, expect, makeCohort } from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, startHttpStage, tablePart } from './stage.ts'

const people = 40
const place = { table: 'cases', column: 'note' }
const policy = {
  name: 'disclosure',
  version: '1',
  type: 'A',
  dates: 'relative',
  tables: {
    cases: { columns: { note: { rule: 'keep' }, count: { rule: 'round', to: 10 } } },
    visits: { columns: { code: { rule: 'truncate', length: 2 } } },
  },
  measures: {
    quasiIdentifiers: [place],
    k: 5,
    sensitive: [{ table: 'cases', column: 'count', tMax: 1 }],
    sets: [{ table: 'visits', column: 'code' }],
    suppression: { cellsMaxShare: 0, recordsMaxShare: 0.5 },
  },
}

test('the disclosure report of a release', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  for (const [agency, table] of [
    [spine, 'cases'],
    [other, 'visits'],
  ] as const) {
    const parts = [keysPart(people), tablePart(table, people)]
    await service.jobEnd(operator, (await deliver(agency, 'hostile', parts)).job)
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const { reviewers, head, recipient } = await reviewersOf(service, operator)
  const auditor = await service.person('auditor', ['auditor'])
  const terms = { recipient: 'recipient', purpose: 'A <b>test</b>', place: 'Room 1' }
  const validUntil = new Date(Date.now() + 86_400_000).toISOString()
  const wanted = { policy, ...terms, validUntil }
  const asked = expect(await operator.post(`/v1/cohorts/${cohort}/releases`, wanted), 202).body
  await service.jobEnd(operator, asked.job)
  const path = `/v1/releases/${asked.release}`

  await t.test('is there for those who judge, before they do', async (t) => {
    t.match((await operator.get(path)).body, { state: 'built', findings: [] })
    for (const reader of [operator, reviewers[0], head, auditor]) {
      const report = shownDisclosureSchema.parse(
        expect(await reader.get(`${path}/disclosure`), 200).body,
      )
      t.match(report, {
        release: asked.release,
        state: 'built',
        measures: { k: 5, missing: 'own-value', quasiIdentifiers: [{ ...place, rule: 'keep' }] },
        told: {
          measured: {
            after: { records: people, classes: 1, uniques: 0, smallest: people },
            suppressed: { records: 0, cells: 0 },
            sensitive: [{ table: 'cases', column: 'count', after: { distinctL: 1, t: 0 } }],
            sets: [{ table: 'visits', column: 'code', before: { codes: people } }],
          },
          differences: [],
        },
        utility: { cases: { rows: { rows: people, outsideScope: 0 } } },
      })
      t.equal(report.utility?.['cases']?.columns['count']?.changed, people)
      t.match(report.titles, { cases: { en: 'Title', ko: '제목' }, hiv: { en: 'HIV' } })
    }
  })

  await t.test('is the same on a page, in both languages, that needs nothing else', async (t) => {
    for (const [lang, word, state, status] of [
      ['en', 'Disclosure report of a release', 'built, under review', 'clinician'],
      ['ko', '반출본 노출위험 보고서', '생성됨, 심사 중', '임상 전문가의 확인 필요'],
    ] as const) {
      const answer = expect(await reviewers[0].get(`${path}/report?lang=${lang}`), 200)
      const html = answer.bytes.toString()
      t.match(html, `<html lang="${lang}">`)
      t.match(html, `<h1>${word}</h1>`)
      for (const text of [state, status]) t.match(html, text)
      t.match(html, 'A &lt;b&gt;test&lt;/b&gt;', 'nothing is unescaped')
      t.notMatch(html, /<script|https?:\/\/|undefined|NaN/)
      t.equal(html.match(/<svg/g)?.length, 3, 'classes, and the columns of two tables')
      t.match(answer.headers['content-security-policy'], "default-src 'none'")
    }
  })

  await t.test(
    'is not for its recipient nor for an agency, and their asking is recorded',
    async (t) => {
      for (const way of ['disclosure', 'report']) {
        for (const stranger of [recipient, spine]) {
          t.equal((await stranger.get(`${path}/${way}`)).status, 403)
        }
        t.equal((await reviewers[0].get(`/v1/releases/${cohort}/${way}`)).status, 404)
      }
      const admin = service.database.pool('admin', 1)
      const { rows } = await admin.query<{ entry: Buffer }>(
        `select entry from gyeol.audit_leaf where action like 'show-disclosure%'`,
      )
      const outcomes = rows.map(({ entry }) => JSON.parse(entry.toString()).outcome)
      t.same(outcomes, ['refused', 'refused', 'refused', 'refused'])
    },
  )
})
