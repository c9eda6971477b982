import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Test, test } from 'tap'
import { verifyPackage } from '../../src/cli/verify-package.ts'
import { csvPart, deliver, expect, makeCohort, takeFile, takeRelease } from '../support/exchange.ts'
import { temporaryDirectory } from '../support/gyeol.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, startHttpStage, tableHeader } from './stage.ts'

const people = 240
const persons = Array.from({ length: people }, (_, row) => row)

/** Twenty persons for each code and band, but four where A meets 0-9: the other sixteen are at 10-19. */
function caseOf(row: number): string {
  const code = 'ABC'[row % 3]
  const band = Math.floor(row / 3) % 4
  const isMoved = code === 'A' && band === 0 && row >= 48
  return `s1-${row},${code},20200229,${isMoved ? 15 : 10 * band + 5},ok`
}

/** Two visits each, all V at first; five persons have been nowhere else than W. */
function visitsOf(row: number): string[] {
  const code = row % 48 === 4 ? 'W' : 'V'
  return [1, 2].map((visit) => `s1-${row},${code},2020022${visit},${10 * (row % 2)},ok`)
}

const columns = { code: { rule: 'keep' }, count: { rule: 'band', width: 10 } }
const ofCases = {
  rows: { table: 'cases', column: 'code' },
  columns: { table: 'cases', column: 'count' },
}
const base = {
  name: 'counts',
  version: '1',
  type: 'B',
  dates: 'relative',
  microdata: 'none',
  tables: { cases: { columns }, visits: { columns } },
  counts: { 'code-by-count': ofCases },
}

test('releases of tables of counts', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  for (const [agency, table, lines] of [
    [spine, 'cases', persons.map(caseOf)],
    [other, 'visits', persons.flatMap(visitsOf)],
  ] as const) {
    const parts = [keysPart(people), csvPart(table, 1, [tableHeader, ...lines])]
    await service.jobEnd(operator, (await deliver(agency, 'hostile', parts)).job)
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const everybody = await reviewersOf(service, operator)
  const auditor = await service.person('auditor', ['auditor'])
  const take = (more: object): Promise<Map<string, Buffer>> =>
    takeRelease(service, everybody, { cohort, policy: { ...base, ...more } })
  const refusalOf = async (more: object): Promise<unknown> => {
    const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1' }
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const wanted = { policy: { ...base, ...more }, ...terms, validUntil }
    const asked = await operator.post(`/v1/cohorts/${cohort}/releases`, wanted)
    if (asked.status !== 202) return asked.body
    return (await service.jobEnd(operator, asked.body.job)).body.refusal
  }
  const first = await take({})
  const earlier = [first.get('tables/code-by-count.csv')?.toString() ?? '']

  await t.test(
    'leave with their margins, small cells hidden, and nothing else of anybody',
    async (t) => {
      const names = [...first.keys()]
      t.notOk(
        names.some((name) => /^(data\/|persons\.)/.test(name)),
        'no rows and no pseudonym',
      )
      const csv = first.get('tables/code-by-count.csv')?.toString() ?? ''
      t.match(csv, /^cases\.code,cases\.count,persons\nA,0-9,\*\nA,10-19,/)
      t.match(csv, /^\(all\),0-9,44$/m)
      t.match(csv, /^A,\(all\),80$/m)
      t.match(csv, /^\(all\),\(all\),240$/m)
      t.equal(csv.match(/,\*$/gm)?.length, 4, 'one small cell and three for its sake')
      const report = JSON.parse(first.get('disclosure-report.json')?.toString() ?? '')
      t.same(report.tables, [
        {
          table: 'code-by-count',
          ...{ count: 'persons', threshold: 10, rows: 3, columns: 4, pooled: 0 },
          ...{ primary: 1, complementary: 3, heldAgainst: 0 },
        },
      ])
      const described = JSON.parse(first.get('datapackage.json')?.toString() ?? '')
      t.match(described.resources, [
        {
          name: 'tables-code-by-count',
          path: 'tables/code-by-count.csv',
          'x-rows': 20,
          'x-missing-codes': { '*': /hidden/ },
          schema: {
            fields: [{ name: 'cases.code' }, { name: 'cases.count' }, { type: 'integer' }],
            missingValues: ['*'],
          },
        },
      ])
      t.equal(described.resources.length, 1)
      t.match(first.get('codebook.csv')?.toString(), /^tables\/code-by-count,,persons,integer,/m)
      const { files } = JSON.parse(first.get('manifest.json')?.toString() ?? '')
      t.match(
        files.find(({ name }: { name: string }) => name === 'tables/code-by-count.csv'),
        { rows: 20 },
      )
      const { rows } = await service.database
        .pool('admin', 1)
        .query('select items from gyeol.processing_record')
      t.same(rows, [
        { items: { 'tables/code-by-count': ['cases.code', 'cases.count', 'persons'] } },
      ])
    },
  )

  await t.test('are checked offline as any package is', async (t) => {
    await service.signer.publish()
    const { releases } = expect(await auditor.get('/v1/releases'), 200).body
    const path = `/v1/releases/${releases[0].release}`
    const { signatureKey } = expect(await everybody.recipient.get(path), 200).body
    const proof = expect(await takeFile(everybody.recipient, path, 'audit-proof.txt'), 200).bytes
    const { verifierKey } = (await auditor.get('/v1/audit/checkpoint')).body
    const directory = temporaryDirectory(t)
    for (const [name, bytes] of [...first, ['audit-proof.txt', proof] as const]) {
      mkdirSync(dirname(join(directory, name)), { recursive: true })
      writeFileSync(join(directory, name), bytes)
    }
    const ca = service.authority.ca.toString()
    const trusted = { key: signatureKey, verifier: verifierKey, ca }
    t.match(await verifyPackage(directory, trusted), { verified: true, problems: [] })
    const shown = first.get('tables/code-by-count.csv')?.toString().replace('A,0-9,*', 'A,0-9,4')
    writeFileSync(join(directory, 'tables', 'code-by-count.csv'), shown ?? '')
    t.match(await verifyPackage(directory, trusted), {
      verified: false,
      problems: [{ file: 'tables/code-by-count.csv' }],
    })
  })

  await t.test(
    'are held against earlier ones of the same dimensions, in whatever domain',
    async (t) => {
      const fault = 'differs from earlier tables by too few persons'
      const details = { fault, counts: 'again', threshold: 10, tables: 1 }
      // Five persons were nowhere else than W: a table of those with a V tells of them what the first one hides of nobody.
      const include = { table: 'visits', column: 'code', startsWith: ['V'] }
      const again = { counts: { again: ofCases }, persons: { include } }
      t.match(await refusalOf(again), { code: 'policy-refused', details })
      const turned = { again: { rows: ofCases.columns, columns: ofCases.rows } }
      t.match(await refusalOf({ ...again, counts: turned }), { details }, 'nor turned around')
      const two = { table: 'cases', column: 'code', startsWith: ['A', 'B'] }
      const files = await take({ counts: { again: ofCases }, persons: { include: two } })
      t.match(
        files.get('tables/again.csv')?.toString(),
        /^\(all\),\(all\),160$/m,
        'a whole code less',
      )
      earlier.push(files.get('tables/again.csv')?.toString() ?? '')
      const report = JSON.parse(files.get('disclosure-report.json')?.toString() ?? '')
      t.equal(report.tables[0].heldAgainst, 1)
    },
  )

  await t.test('are held against earlier ones that share a dimension, or sums of it', async (t) => {
    const byVisits = { rows: ofCases.rows, columns: { table: 'visits', column: 'count' } }
    const include = { table: 'visits', column: 'code', startsWith: ['V'] }
    const fault = 'differs from earlier tables by too few persons'
    t.match(
      await refusalOf({ counts: { visits: byVisits }, persons: { include } }),
      { details: { fault, tables: 2 } },
      'five persons of one code less',
    )
    const wide = { code: { rule: 'keep' }, count: { rule: 'band', width: 20 } }
    const tables = { cases: { columns: wide }, visits: { columns } }
    const counts = { wide: ofCases }
    // A sum of two bands tells the one of them that an earlier table hides alone.
    const isHidden = (csv: string, band: string): boolean => csv.includes(`A,${band},*`)
    const hidesBoth = (csv: string): boolean =>
      isHidden(csv, '10-19') && isHidden(csv, '20-29') === isHidden(csv, '30-39')
    if (earlier.every(hidesBoth)) {
      const files = await take({ counts, tables })
      t.match(files.get('tables/wide.csv')?.toString(), /^A,0-19,40$/m)
    } else {
      t.match(await refusalOf({ counts, tables }), { details: { fault, counts: 'wide' } })
    }
  })

  await t.test('count rows as well, small by the persons behind them', async (t) => {
    const ofVisits = {
      count: 'rows',
      rows: { table: 'visits', column: 'code' },
      columns: { table: 'visits', column: 'count' },
    }
    t.match(await refusalOf({ counts: { visits: ofVisits } }), {
      details: { counts: 'visits', fault: 'rows or columns below the threshold', small: 1 },
    })
    const files = await take({
      counts: {
        visits: {
          ...ofVisits,
          rows: { table: 'visits', column: 'count' },
          columns: { table: 'visits', column: 'code' },
          pool: true,
        },
      },
    })
    t.match(files.get('tables/visits.csv')?.toString(), /^\(all\),\(all\),480$/m)
  })

  await t.test('may stand beside rows that are measured as strictly', async (t) => {
    const wide = { code: { rule: 'keep' }, count: { rule: 'band', width: 40 } }
    const { microdata: _, ...beside } = {
      ...base,
      formats: ['csv'],
      tables: { cases: { columns: wide } },
      measures: { quasiIdentifiers: [ofCases.rows, ofCases.columns], k: 10 },
    }
    const files = await takeRelease(service, everybody, { cohort, policy: beside })
    const csv = files.get('tables/code-by-count.csv')?.toString() ?? ''
    t.notMatch(csv, /\*/, 'nothing is small')
    const [rows = ''] = [...files]
      .filter(([name]) => name.startsWith('data/cases/'))
      .map(([, bytes]) => bytes.toString())
    t.equal(rows.match(/,A,0-39$/gm)?.length, Number(/^A,0-39,(\d+)$/m.exec(csv)?.[1]))
    t.ok(files.has('persons.csv'))
    const strict = { ...beside, measures: { ...beside.measures, k: 9 } }
    t.match(await refusalOfRows(t, strict), { fault: 'k below the least of kind B' })
  })

  async function refusalOfRows(t: Test, policy: object): Promise<unknown> {
    const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1' }
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const path = `/v1/cohorts/${cohort}/releases`
    const answer = await operator.post(path, { policy, ...terms, validUntil })
    t.equal(answer.status, 422)
    return answer.body.details
  }
})
