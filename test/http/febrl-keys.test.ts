/**
 * FEBRL through the HTTP path (shared/LINKAGE.md, "Figures to reproduce"): dataset4a as the spine and dataset4b as a second
 * source; dataset1 as a spine with duplicates. K1 from soc_sec_id, K2 from names and birth date, K3 with the postcode
 * besides; no K4. The truth is in rec_id.
 */
import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import { csvPart, deliver, openTestProject } from '../support/exchange.ts'
import { startTestService, type TestService } from '../support/service.ts'

const folder = new URL('../../../shared/data/febrl/', import.meta.url)
const isHere = existsSync(folder)
if (!isHere) console.error('SKIPPED: ../shared/data/febrl is not there, so nothing is linked here')

const recipe = {
  version: 'gyeol-1',
  fields: {
    socSecId: 'identifier',
    givenName: 'identifier',
    surname: 'identifier',
    birthDate: 'identifier',
    postcode: 'identifier',
  },
  keyTypes: {
    K1: ['socSecId'],
    K2: ['givenName', 'surname', 'birthDate'],
    K3: ['givenName', 'surname', 'birthDate', 'postcode'],
  },
}

const title = { en: 'Persons', ko: '사람' }
const columns = { truth: { type: 'code', lengthMax: 40, title: { en: 'Truth', ko: '정답' } } }

type KeyType = 'K1' | 'K2' | 'K3'
/** A row by the names of its columns. The truth is the number in rec_id. */
type Row = Record<string, string>

const fieldsOf = {
  K1: ['soc_sec_id'],
  K2: ['given_name', 'surname', 'date_of_birth'],
  K3: ['given_name', 'surname', 'date_of_birth', 'postcode'],
} as const satisfies Record<KeyType, readonly string[]>

function rowsOf(name: string): Row[] {
  const [header = '', ...lines] = readFileSync(new URL(name, folder), 'utf8').trim().split('\n')
  const names = header.split(',').map((cell) => cell.trim())
  return lines.map((line) => {
    const cells = line.split(',').map((cell) => cell.trim())
    return Object.fromEntries(names.map((column, at) => [column, cells[at] ?? '']))
  })
}

/** HMAC-SHA-256 of the raw values; one that is missing makes the key empty. */
function keyOf(row: Row, type: KeyType): string {
  const values = fieldsOf[type].map((field) => row[field] ?? '')
  if (values.includes('')) return ''
  const message = [type, ...values].join('|')
  return createHmac('sha256', 'a key of the agencies').update(message).digest('hex')
}

function truthOf(row: Row): string {
  return (row['rec_id'] ?? '').split('-')[1] ?? ''
}

/** True pairs of two sets that agree in a key. */
function agreeing(one: readonly Row[], other: readonly Row[], types: readonly KeyType[]): number {
  const byTruth = new Map(one.map((row) => [truthOf(row), row]))
  return other.filter((row) => {
    const twin = byTruth.get(truthOf(row))
    return types.every((type) => {
      const key = keyOf(row, type)
      return twin !== undefined && key !== '' && key === keyOf(twin, type)
    })
  }).length
}

type Source = { agency: string; rows: Row[] }

/** Delivers keys and truth; the delivery's id once it is taken. */
async function delivered(
  service: TestService,
  agency: ApiClient,
  what: Source & { project: string; keyTypes: readonly KeyType[] },
): Promise<string> {
  const keys = what.rows.map((row) =>
    [row['rec_id'], ...what.keyTypes.map((type) => keyOf(row, type))].join(','),
  )
  const truth = what.rows.map((row) => `${row['rec_id']},${truthOf(row)}`)
  const sent = await deliver(agency, what.project, [
    csvPart('', 1, [`serial,${what.keyTypes.join(',')}`, ...keys]),
    csvPart(tableOf(what.agency), 1, ['serial,truth', ...truth]),
  ])
  const ended = await service.jobEnd(agency, sent.job)
  if (ended.body.result?.delivery === 'taken') return sent.delivery
  throw new Error(`the delivery was not taken: ${JSON.stringify(ended.body)}`)
}

function tableOf(agency: string): string {
  return `persons_of_${agency.replace('-', '_')}`
}

type Stage = {
  service: TestService
  one: ApiClient
  two: ApiClient
  agencies: Map<string, ApiClient>
}

async function openStage(t: Parameters<typeof startTestService>[0]): Promise<Stage> {
  const service = await startTestService(t)
  return {
    service,
    one: await service.person('one', ['operator', 'custodian']),
    two: await service.person('two', ['custodian']),
    agencies: new Map([
      ['febrl-a', await service.agency('febrl-a')],
      ['febrl-b', await service.agency('febrl-b')],
    ]),
  }
}

/** A project in which the first source is the spine; its linkage as the interface shows it. */
async function linked(
  { service, one, two, agencies }: Stage,
  project: {
    name: string
    sources: Source[]
    keyTypes: KeyType[]
    rules?: object
  },
): Promise<{ linkage: ReturnType<typeof JSON.parse>; deliveries: string[] }> {
  const { name, sources, keyTypes, rules = {} } = project
  await openTestProject([one, two], {
    name,
    catalogue: {
      name: 'febrl',
      version: '1',
      tables: Object.fromEntries(
        sources.map(({ agency }) => [tableOf(agency), { agency, title, columns }]),
      ),
    },
    recipe,
    rules: { cellMin: 1, ...rules },
    agencies: sources.map(({ agency }, at) => ({ agency, isSpine: at === 0, keyTypes })),
  })
  const deliveries = []
  for (const source of sources) {
    const agency = agencies.get(source.agency)
    if (!agency) throw new Error('an agency of the stage')
    deliveries.push(await delivered(service, agency, { ...source, project: name, keyTypes }))
  }
  const wanted = await one.post(`/v1/projects/${name}/linkages`)
  if (wanted.status !== 202) throw new Error(JSON.stringify(wanted.body))
  await service.jobEnd(one, wanted.body.job)
  const linkage = (await one.get(`/v1/linkages/${wanted.body.linkage}`)).body
  if (linkage.state !== 'linked') throw new Error(JSON.stringify(linkage))
  return { linkage, deliveries }
}

test('links FEBRL exactly as its figures say', { skip: !isHere }, async (t) => {
  const stage = await openStage(t)
  const a = { agency: 'febrl-a', rows: rowsOf('dataset4a.csv') }
  const b = { agency: 'febrl-b', rows: rowsOf('dataset4b.csv') }

  await t.test('4a and 4b: 4,561 pairs by K1', async (t) => {
    const { linkage, deliveries } = await linked(stage, {
      name: 'by-number',
      sources: [a, b],
      keyTypes: ['K1'],
    })
    t.equal(linkage.persons, 5000)
    const map = linkage.deliveries.find(
      (each: { delivery: string }) => each.delivery === deliveries[1],
    )
    t.same([map.serials, map.linked], [5000, 4561])
  })

  await t.test('4a and 4b with K2: 4,767, the others of them possible', async (t) => {
    const { linkage } = await linked(stage, {
      name: 'by-name',
      sources: [a, b],
      keyTypes: ['K1', 'K2'],
    })
    const { linked: links, unlinked } = linkage.report.agencies['febrl-b']
    t.equal(links, 4561)
    t.equal(links + unlinked.possible, 4767)
    t.equal(linkage.report.cases, 206, 'one candidate each')
    const path = '/v1/projects/by-name/match-rate'
    const all = (await stage.one.get(path)).body
    t.match(all, {
      agencies: [
        { serials: 5000, linked: 5000 },
        { serials: 5000, linked: 4561 },
      ],
    })
    const own = (await stage.agencies.get('febrl-b')?.get(path))?.body
    t.same(own.agencies, [all.agencies[1]], 'an agency sees its own')
    const either = agreeing(a.rows, b.rows, ['K1']) + agreeing(a.rows, b.rows, ['K2'])
    t.equal(either - agreeing(a.rows, b.rows, ['K1', 'K2']), 4767, 'as many as the truth has')
  })

  await t.test('4a and 4b opted in: a match where a second weaker key agrees', async (t) => {
    const { linkage } = await linked(stage, {
      name: 'opted-in',
      sources: [a, b],
      keyTypes: ['K1', 'K2', 'K3'],
      rules: { promotePossible: true },
    })
    const { linked: links, linkedByPass, unlinked } = linkage.report.agencies['febrl-b']
    const promoted =
      agreeing(a.rows, b.rows, ['K2', 'K3']) - agreeing(a.rows, b.rows, ['K1', 'K2', 'K3'])
    t.equal(linkedByPass[8], promoted, 'as many as the truth has')
    t.equal(links, 4561 + promoted)
    t.equal(links + unlinked.possible, 4767)
  })

  const alone = { agency: 'febrl-a', rows: rowsOf('dataset1.csv') }

  await t.test('set 1, one source with duplicates: 450 by K1, 471 with K2', async (t) => {
    const { linkage } = await linked(stage, {
      name: 'one-source',
      sources: [alone],
      keyTypes: ['K1', 'K2'],
    })
    const { duplicates } = linkage.report.agencies['febrl-a']
    t.equal(duplicates, 450)
    t.equal(linkage.persons, 550)
    t.equal(duplicates + linkage.report.spinePairs.possible, 471)
  })

  await t.test('set 1 opted in: one person where a second weaker key agrees', async (t) => {
    const { linkage } = await linked(stage, {
      name: 'one-source-opted-in',
      sources: [alone],
      keyTypes: ['K1', 'K2', 'K3'],
      rules: { promotePossible: true },
    })
    const { duplicates } = linkage.report.agencies['febrl-a']
    const { possible, match } = linkage.report.spinePairs
    const originals = alone.rows.filter((row) => row['rec_id']?.includes('org'))
    const copies = alone.rows.filter((row) => row['rec_id']?.includes('dup'))
    const promoted =
      agreeing(originals, copies, ['K2', 'K3']) - agreeing(originals, copies, ['K1', 'K2', 'K3'])
    t.same([match, duplicates], [promoted, 450 + promoted])
    t.equal(duplicates + possible, 471)
  })
})
