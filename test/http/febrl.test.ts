/**
 * FEBRL through the HTTP path (shared/LINKAGE.md, "Figures to reproduce"): dataset4a as the spine, dataset4b as a second
 * source, K1 from soc_sec_id, no K4. The truth is in rec_id.
 */
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import {
  csvPart,
  deliver,
  makeCohort,
  openTestProject,
  type TestPart,
  takeRelease,
  testKey,
} from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { startTestService } from '../support/service.ts'

const folder = new URL('../../../shared/data/febrl/', import.meta.url)
const isHere = existsSync(folder)
if (!isHere) console.error('SKIPPED: ../shared/data/febrl is not there, so nothing is linked here')

const recipe = {
  version: 'gyeol-1',
  fields: { socSecId: 'identifier' },
  keyTypes: { K1: ['socSecId'] },
}

const catalogue = {
  name: 'febrl',
  version: '1',
  tables: {
    person_a: {
      agency: 'febrl-a',
      title: { en: 'Persons', ko: '사람' },
      columns: { truth: { type: 'code', lengthMax: 40, title: { en: 'Truth', ko: '정답' } } },
    },
    person_b: {
      agency: 'febrl-b',
      title: { en: 'Persons', ko: '사람' },
      columns: { truth: { type: 'code', lengthMax: 40, title: { en: 'Truth', ko: '정답' } } },
    },
  },
}

/** Serial (the rec_id), soc_sec_id of every row. */
function rowsOf(name: string): { serial: string; number: string }[] {
  const lines = readFileSync(new URL(name, folder), 'utf8').trim().split('\n')
  const header = (lines[0] ?? '').split(',').map((cell) => cell.trim())
  return lines.slice(1).map((line) => {
    const cells = line.split(',').map((cell) => cell.trim())
    return {
      serial: cells[header.indexOf('rec_id')] ?? '',
      number: cells[header.indexOf('soc_sec_id')] ?? '',
    }
  })
}

/** Keys and the truth of every row. */
function partsOf(table: string, rows: { serial: string; number: string }[]): TestPart[] {
  const keys = rows.map(({ serial, number }) => `${serial},${number === '' ? '' : testKey(number)}`)
  const truth = rows.map(({ serial }) => `${serial},${serial.split('-')[1]}`)
  return [csvPart('', 1, ['serial,K1', ...keys]), csvPart(table, 1, ['serial,truth', ...truth])]
}

test('links exactly the 4,561 FEBRL pairs that share a number, and no wrong one', {
  skip: !isHere,
}, async (t) => {
  const service = await startTestService(t)
  const one = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const spine = await service.agency('febrl-a')
  const other = await service.agency('febrl-b')
  await openTestProject([one, two], {
    name: 'febrl',
    catalogue,
    recipe,
    agencies: [
      { agency: 'febrl-a', isSpine: true, keyTypes: ['K1'] },
      { agency: 'febrl-b', keyTypes: ['K1'] },
    ],
  })
  const sent = [
    await deliver(spine, 'febrl', partsOf('person_a', rowsOf('dataset4a.csv'))),
    await deliver(other, 'febrl', partsOf('person_b', rowsOf('dataset4b.csv'))),
  ] as const
  for (const { job } of sent) {
    t.match((await service.jobEnd(one, job)).body.result, { delivery: 'taken' })
  }
  const { linkage, cohort } = await makeCohort(service, one, 'febrl')
  const linked = (await one.get(`/v1/linkages/${linkage}`)).body
  t.match(linked, { state: 'linked', persons: 5000 })
  const map = linked.deliveries.find(
    (each: { delivery: string }) => each.delivery === sent[1].delivery,
  )
  t.match(map, { serials: 5000, linked: 4561 })

  const people = await reviewersOf(service, one)
  const columns = { truth: { rule: 'keep' } }
  const policy = {
    name: 'febrl',
    version: '1',
    type: 'A',
    dates: 'relative',
    formats: ['csv'],
    tables: { person_a: { columns }, person_b: { columns } },
  }
  const first = await takeRelease(service, people, { cohort, policy })
  const pairs = pairsOf(first)
  t.equal(pairs.filter(([a, b]) => a === b).length, 4561, 'every linked pair is a true one')
  t.equal(pairs.filter(([a, b]) => a !== b).length, 0, 'and none is a wrong one')

  await t.test('two releases of one cohort have no pseudonym in common', async (t) => {
    const second = await takeRelease(service, people, { cohort, policy })
    t.equal(pairsOf(second).length, 4561, 'the same people')
    const [one, two] = [pseudonymsOf(first), pseudonymsOf(second)]
    t.equal(one.size, 5000)
    t.equal(two.size, 5000)
    t.same(
      [...one].filter((pseudonym) => two.has(pseudonym)),
      [],
    )
    const [before, after] = [first, second].map((files) => rowsIn(files, 'person_a'))
    const inPlace = before?.filter(({ truth }, row) => truth === after?.[row]?.truth).length ?? 0
    t.ok(inPlace < 20, `${inPlace} of 5,000 rows are at the same place`)
  })
})

type ReleasedRow = { pseudonym: string; truth: string }

function rowsIn(files: Map<string, Buffer>, table: string): ReleasedRow[] {
  const texts = [...files].filter(([name]) => name.startsWith(`data/${table}/`))
  return texts.flatMap(([, bytes]) => {
    const [header = '', ...lines] = bytes.toString().trim().split(/\r?\n/)
    const names = header.replace('\ufeff', '').split(',')
    return lines.map((line) => {
      const cells = line.split(',')
      const cell = (name: string): string => cells[names.indexOf(name)] ?? ''
      return { pseudonym: cell('pseudonym'), truth: cell('truth') }
    })
  })
}

/** The truths of every pair of rows that have one pseudonym. */
function pairsOf(files: Map<string, Buffer>): [string, string][] {
  const spine = new Map(rowsIn(files, 'person_a').map((row) => [row.pseudonym, row.truth]))
  return rowsIn(files, 'person_b').map((row) => [spine.get(row.pseudonym) ?? '', row.truth])
}

function pseudonymsOf(files: Map<string, Buffer>): Set<string> {
  const rows = [...rowsIn(files, 'person_a'), ...rowsIn(files, 'person_b')]
  return new Set(rows.map((row) => row.pseudonym))
}
