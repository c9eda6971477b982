import { test } from 'tap'
import type { CatalogueColumn } from '../../src/catalogue/schema.ts'
import { countQuality, type QualitySource } from '../../src/engine/count-quality.ts'
import { quoteText, type Session } from '../../src/engine/session.ts'
import { openScratch, tableOf } from './scratch.ts'

type Columns = Record<string, Omit<CatalogueColumn, 'title'>>
type Row = Record<string, string | number | null>
type Record_ = { serial: string; ordinal: number | null; pass: string; rows: Row[] }
type Delivery = { agency: string; isSpine?: boolean; columns: Columns; records: Record_[] }

const spineColumns: Columns = {
  SEX: { type: 'code', role: 'sex' },
  BIRTH: { type: 'year-month', role: 'birth-year-month' },
  SIDO: { type: 'code', role: 'region' },
  FOUND: { type: 'date', role: 'diagnosis-date' },
  TOPO: { type: 'code', role: 'cancer-site' },
}
const insurerColumns: Columns = {
  YEAR: { type: 'integer', role: 'year' },
  SEX: { type: 'code', role: 'sex' },
  BORN: { type: 'integer', role: 'birth-year' },
  SIDO: { type: 'code', role: 'region' },
}
const claimColumns: Columns = {
  DAY: { type: 'date', role: 'service-date' },
  SICK: { type: 'code', role: 'diagnosis' },
}
const deathColumns: Columns = { DIED: { type: 'date', role: 'death-date' } }
const shotColumns: Columns = { SHOT: { type: 'date', role: 'vaccination-date' } }

/** A little chance that is the same every time. */
function diceOf(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

function population(): Delivery[] {
  const dice = diceOf(7)
  const day = (year: number): string => `${year}-0${1 + dice(9)}-1${dice(10)}`
  const persons = Array.from({ length: 400 }, (_, ordinal) => ({
    ordinal,
    sex: 1 + dice(2),
    born: 1930 + dice(60),
    region: ['11', '26', '41'][dice(3)] ?? '',
    found: day(2012 + dice(8)),
    topo: ['C16.1', 'C50.2', 'C61', 'C53.1', 'C34'][dice(5)] ?? '',
  }))
  const record = (prefix: string, at: number, isLinked: boolean, rows: Row[]): Record_ => ({
    serial: `${prefix}${at}`,
    ordinal: isLinked ? at : null,
    pass: String(1 + dice(2)),
    rows,
  })
  const some = (share: number) => persons.filter(() => dice(100) < share)
  return [
    {
      agency: 'registry',
      isSpine: true,
      columns: spineColumns,
      records: persons.map(({ ordinal, sex, born, region, found, topo }) =>
        record('r', ordinal, true, [
          { SEX: String(sex), BIRTH: `${born}07`, SIDO: region, FOUND: found, TOPO: topo },
        ]),
      ),
    },
    {
      agency: 'insurer',
      columns: insurerColumns,
      records: some(95).map(({ ordinal, sex, born, region }) =>
        record('i', ordinal, dice(10) > 0, [
          {
            YEAR: 2015 + dice(4),
            SEX: String(dice(12) === 0 ? 3 - sex : sex),
            BORN: dice(15) === 0 ? born + 1 : born,
            SIDO: `${region}11`,
          },
        ]),
      ),
    },
    {
      agency: 'claims',
      columns: claimColumns,
      records: some(80).map(({ ordinal }) =>
        record('c', ordinal, dice(8) > 0, [
          { DAY: day(2013 + dice(9)), SICK: ['I10', 'C61', 'C50'][dice(3)] ?? '' },
          { DAY: day(2013 + dice(9)), SICK: 'I10' },
        ]),
      ),
    },
    {
      agency: 'deaths',
      columns: deathColumns,
      records: some(40).map(({ ordinal }) =>
        record(
          'd',
          ordinal,
          dice(12) > 0,
          Array.from({ length: 1 + Number(dice(20) === 0) }, () => ({ DIED: day(2014 + dice(8)) })),
        ),
      ),
    },
    {
      agency: 'shots',
      columns: shotColumns,
      records: some(60).map(({ ordinal }) =>
        record('v', ordinal, dice(20) > 0, [{ SHOT: day(2021) }, { SHOT: null }]),
      ),
    },
  ]
}

async function sourcesOf(
  session: Session,
  path: (name: string) => string,
  deliveries: readonly Delivery[],
): Promise<QualitySource[]> {
  const write = async (name: string, rows: readonly Row[], types: string[]): Promise<string> => {
    const columns = types.map((type) => type.split(' ')[0] ?? '')
    await session.run(`create or replace temp table made (${types.join(', ')})`)
    for (const row of rows) {
      await session.run(
        `insert into made values (${columns.map((_, at) => `$${at + 1}`).join(', ')})`,
        columns.map((column) => row[column] ?? null),
      )
    }
    await session.run(`copy made to ${quoteText(path(name))} (format parquet)`)
    return path(name)
  }
  const opened = (file: string) => async () => ({ path: file, letGo: async () => {} })
  const sources: QualitySource[] = []
  for (const { agency, isSpine = false, columns, records } of deliveries) {
    const types = Object.entries(columns).map(
      ([name, { type }]) =>
        `${name} ${type === 'date' ? 'date' : type === 'integer' ? 'bigint' : 'varchar'}`,
    )
    const rows = records.flatMap(({ serial, rows: own }) => own.map((row) => ({ serial, ...row })))
    const half = Math.floor(rows.length / 2) // A record's rows may be in two parts.
    const parts = [rows.slice(0, half), rows.slice(half)]
    const files: string[] = []
    for (const [number, part] of parts.entries()) {
      files.push(await write(`${agency}-${number}`, part, ['serial varchar', ...types]))
    }
    const map = await write(
      `${agency}-map`,
      records.map(({ serial, ordinal, pass }) => ({ serial, ordinal, pass })),
      ['serial varchar', 'ordinal integer', 'pass varchar'],
    )
    const table = tableOf(columns)
    sources.push({
      agency,
      isSpine,
      deliveries: [
        { openMap: opened(map), parts: files.map((file) => ({ table, open: opened(file) })) },
      ],
    })
  }
  return sources
}

test('counts what a slow look at every record counts', async (t) => {
  const { session, path } = await openScratch(t)
  const deliveries = population()
  const seen: number[] = []
  const sources = await sourcesOf(session, path, deliveries)
  const raw = await countQuality(session, sources, { onPart: (done) => seen.push(done) })
  const of = (name: string): Record_[] =>
    deliveries.find(({ agency }) => agency === name)?.records ?? []
  const linked = (name: string): Record_[] => of(name).filter(({ ordinal }) => ordinal !== null)
  const spine = new Map(of('registry').map(({ ordinal, rows }) => [ordinal, rows[0] ?? {}]))
  const others = ['insurer', 'claims', 'deaths', 'shots']
  t.equal(raw.persons, 400)
  t.same(raw.agencies, others)
  t.same(seen.at(-1), 10, 'every part is told of')

  t.test('link rates', async (t) => {
    for (const agency of others) {
      const table = raw.rates.find((one) => one.agency === agency && one.by.length === 0)
      t.same(table?.cells, [
        { levels: [], delivered: of(agency).length, linked: linked(agency).length },
      ])
    }
    const bySex = tableOfRates('records', 'insurer', 'year sex')
    const slow = new Map<string, { delivered: number; linked: number }>()
    for (const { rows, ordinal } of of('insurer')) {
      const name = `${rows[0]?.['YEAR']} ${rows[0]?.['SEX'] === '1' ? 'M' : 'F'}`
      const cell = slow.get(name) ?? { delivered: 0, linked: 0 }
      slow.set(name, {
        delivered: cell.delivered + 1,
        linked: cell.linked + Number(ordinal !== null),
      })
    }
    t.same(bySex, Object.fromEntries([...slow].sort(([a], [b]) => (a < b ? -1 : 1))))
    const known = new Set(linked('deaths').map(({ ordinal }) => ordinal))
    const bySite = tableOfRates('spine', 'deaths', 'site')
    const stomach = [...spine].filter(([, row]) => row['TOPO'] === 'C16.1')
    t.same(bySite['C16'], {
      delivered: stomach.length,
      linked: stomach.filter(([ordinal]) => known.has(ordinal)).length,
    })
    t.same(Object.keys(bySite).sort(), ['C16', 'C33-C34', 'C50', 'C53', 'C61'])
    const bands = tableOfRates('spine', 'claims', 'age')
    const ageOf = (row: Row): number =>
      Number(String(row['FOUND']).slice(0, 4)) - Number(String(row['BIRTH']).slice(0, 4))
    const old = [...spine.values()].filter((row) => ageOf(row) >= 80)
    t.equal(bands['80+']?.delivered, old.length)
    t.equal(bands['40-49']?.delivered, [...spine.values()].filter(inForties).length)
    function inForties(row: Row): boolean {
      return ageOf(row) >= 40 && ageOf(row) < 50
    }
  })

  t.test('implausibilities, by pass', async (t) => {
    const diedOf = new Map<number, string[]>()
    for (const { ordinal, rows } of linked('deaths')) {
      diedOf.set(ordinal ?? -1, rows.map((row) => String(row['DIED'])).sort())
    }
    const is = (row: Row | undefined, sites: string): boolean =>
      sites.includes(String(row?.['TOPO'] ?? row?.['SICK'] ?? '-').slice(0, 3))
    const flagged: Record<string, (record: Record_) => boolean | undefined> = {
      'sex-differs insurer': ({ ordinal, rows }) =>
        spine.get(ordinal)?.['SEX'] !== rows[0]?.['SEX'],
      'birth-year-differs insurer': ({ ordinal, rows }) =>
        String(spine.get(ordinal)?.['BIRTH']).slice(0, 4) !== String(rows[0]?.['BORN']),
      'two-death-dates deaths': ({ rows }) => new Set(rows.map((row) => row['DIED'])).size > 1,
      'death-before-diagnosis deaths': ({ ordinal }) =>
        (diedOf.get(ordinal ?? -1)?.at(-1) ?? '') < String(spine.get(ordinal)?.['FOUND']),
      'service-after-death claims': ({ ordinal, rows }) => {
        const died = diedOf.get(ordinal ?? -1)?.at(-1)
        if (died === undefined) return undefined
        const last = rows.map((row) => Date.parse(String(row['DAY'])))
        return Math.max(...last) > Date.parse(died) + 60 * 86_400_000
      },
      'cancer-of-other-sex claims': ({ ordinal, rows }) => {
        const sites = rows.filter((row) => is(row, 'C61'))
        if (sites.length === 0) return undefined
        return spine.get(ordinal)?.['SEX'] === '2'
      },
      'cancer-of-other-sex insurer': ({ ordinal, rows }) => {
        const person = spine.get(ordinal)
        if (!is(person, 'C53 C61')) return undefined
        return is(person, 'C53') === (rows[0]?.['SEX'] === '1')
      },
      'vaccination-before-rollout shots': ({ rows }) =>
        rows.some(({ SHOT }) => SHOT !== null && String(SHOT) < '2021-02-26'),
    }
    for (const [name, flag] of Object.entries(flagged)) {
      const [rule = '', agency = ''] = name.split(' ')
      const slow: Record<string, { compared: number; flagged: number }> = {}
      for (const record of linked(agency)) {
        const is = flag(record)
        if (is === undefined) continue
        const line = slow[record.pass] ?? { compared: 0, flagged: 0 }
        slow[record.pass] = {
          compared: line.compared + 1,
          flagged: line.flagged + Number(is),
        }
      }
      const lines = raw.checks.filter((check) => check.rule === rule && check.agency === agency)
      const found = lines.map(({ pass, compared, flagged }) => [pass, { compared, flagged }])
      t.same(Object.fromEntries(found), slow, name)
      t.ok(
        Object.values(slow).some((line) => line.flagged > 0),
        `${name} is planted`,
      )
    }
  })

  t.test('which agencies know whom', async (t) => {
    const slow: Record<string, number> = {}
    for (const ordinal of spine.keys()) {
      const by = others.filter((name) => linked(name).some((one) => one.ordinal === ordinal))
      slow[by.join(' ')] = (slow[by.join(' ')] ?? 0) + 1
    }
    const found = raw.overlap.map(({ agencies, persons }) => [agencies.join(' '), persons])
    t.same(Object.fromEntries(found), slow)
  })

  t.test('births of the linked and the unlinked, and the chance to differ', async (t) => {
    const births = raw.births.find(({ agency }) => agency === 'insurer')
    const own = linked('insurer').map(({ rows }) => Number(rows[0]?.['BORN']))
    const mean = own.reduce((sum, born) => sum + born, 0) / own.length
    t.equal(births?.linked.persons, own.length)
    t.ok(Math.abs((births?.linked.mean ?? 0) - mean) < 1e-9)
    const men = [...spine.values()].filter((row) => row['SEX'] === '1').length / 400
    t.ok(Math.abs(raw.chanceOfDifference.sex - (1 - men ** 2 - (1 - men) ** 2)) < 1e-9)
  })

  function tableOfRates(
    basis: string,
    agency: string,
    by: string,
  ): Record<string, { delivered: number; linked: number }> {
    const table = raw.rates.find(
      (one) => one.basis === basis && one.agency === agency && one.by.join(' ') === by,
    )
    return Object.fromEntries(
      table?.cells.map(({ levels, ...counts }) => [levels.join(' '), counts]) ?? [],
    )
  }
})
