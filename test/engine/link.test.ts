import { createHash, createSecretKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { type Test, test } from 'tap'
import { macColumn } from '../../src/core/mac.ts'
import { type KeyRecord, linkedByReference, linkRulesSchema } from '../../src/core/passes.ts'
import { type LinkDelivery, type Linked, linkPersons } from '../../src/engine/link.ts'
import { quoteText, type Session } from '../../src/engine/session.ts'
import { openScratch, refusalOf } from './scratch.ts'

const personKey = createSecretKey(Buffer.alloc(32, 9))
const personsOf = (tokens: Uint8Array): Uint8Array =>
  macColumn('cmac-aes-256', personKey, tokens, 16)
const rules = linkRulesSchema.parse({})
const tokenOf = (text: string): string => createHash('md5').update(text).digest('hex')

/** Writes records as token files, one an agency (or `files` of them), in the order given, and links them. */
async function linked(
  session: Session,
  dir: string,
  records: readonly KeyRecord[],
  files = 1,
): Promise<Linked> {
  await mkdir(dir, { recursive: true })
  const deliveries: LinkDelivery[] = []
  for (const agency of new Set(records.map((record) => record.agency))) {
    const rows = records.filter((record) => record.agency === agency)
    const paths: string[] = []
    for (let part = 0; part < files; part++) {
      const path = `${dir}/${agency}-${part}.parquet`
      const own = rows.filter((_, index) => index % files === part)
      const uuid = (key: string | undefined): string => (key ? `'${tokenOf(key)}'` : 'null')
      const values = own.map(({ serial, k1, k4 }) => `('${serial}', ${uuid(k1)}, ${uuid(k4)})`)
      await session.run(`
        copy (
          select serial, t1::uuid as t1, null::uuid as t2, null::uuid as t3, t4::uuid as t4, null::uuid as t5
          from (values ${[...values, `('', null, null)`].join(', ')}) v(serial, t1, t4)
          where serial <> ''
        ) to ${quoteText(path)} (format parquet)`)
      paths.push(path)
    }
    const { isSpine = false, isDuplicateFree = false } = rows[0] ?? {}
    const deliveryId = `delivery of ${agency}`
    const keyTypes = ['K1', 'K4']
    deliveries.push({ deliveryId, agency, isSpine, isDuplicateFree, keyTypes, files: paths })
  }
  return await linkPersons(session, { deliveries, rules, personsOf, outDir: dir })
}

async function ordinalsOf(session: Session, result: Linked): Promise<Map<string, number | null>> {
  const ordinals = new Map<string, number | null>()
  for (const [delivery, { file }] of Object.entries(result.maps)) {
    const rows = await session.rows<{ serial: string; ordinal: number | null }>(
      `select serial, ordinal from read_parquet(${quoteText(file)})`,
    )
    const agency = delivery.replace('delivery of ', '')
    for (const { serial, ordinal } of rows) ordinals.set(`${agency} ${serial}`, ordinal)
  }
  return ordinals
}

const spine = { agency: 'spine', isSpine: true }
const one = { agency: 'one', isSpine: false, isDuplicateFree: false }
const two = { agency: 'two', isSpine: false, isDuplicateFree: true }

function record(
  source: Pick<KeyRecord, 'agency' | 'isSpine' | 'isDuplicateFree'>,
  serial: string,
  keys: { k1?: string; k4?: string },
): KeyRecord {
  return { ...source, serial, k1: keys.k1, k4: keys.k4 }
}

test('settles each pass as LINKAGE.md says', async (t) => {
  const { session, path } = await openScratch(t)
  const own = { ...spine, isDuplicateFree: false }
  const records = [
    record(own, 'equal', { k1: '1', k4: 'a' }),
    record(own, 'no-k4', { k1: '2' }),
    record(own, 'other-k4', { k1: '3', k4: 'a' }),
    record(own, 'no-k1', {}),
    record(own, 'twin-1', { k1: '4', k4: 'a' }),
    record(own, 'twin-2', { k1: '4', k4: 'a' }),
    record(own, 'shared-a', { k1: '5', k4: 'a' }),
    record(own, 'shared-b', { k1: '5', k4: 'b' }),
    record(one, 'equal', { k1: '1', k4: 'a' }),
    record(one, 'equal-again', { k1: '1' }),
    record(one, 'no-k4', { k1: '2', k4: 'b' }),
    record(one, 'other-k4', { k1: '3', k4: 'b' }),
    record(one, 'outside', { k1: '9', k4: 'a' }),
    record(one, 'no-k1', { k4: 'a' }),
    record(one, 'twin', { k1: '4', k4: 'a' }),
    record(one, 'shared-b', { k1: '5', k4: 'b' }),
    record(one, 'shared', { k1: '5' }),
    record(two, 'twice-1', { k1: '1', k4: 'a' }),
    record(two, 'twice-2', { k1: '1', k4: 'a' }),
  ]
  const result = await linked(session, path('passes'), records)
  const at = await ordinalsOf(session, result)
  const same = (...names: string[]): boolean =>
    new Set(names.map((name) => at.get(name))).size === 1
  t.ok(same('spine equal', 'one equal', 'one equal-again'))
  t.ok(same('spine no-k4', 'one no-k4'))
  t.ok(same('spine twin-1', 'spine twin-2', 'one twin'))
  t.ok(same('spine shared-b', 'one shared-b'))
  t.notOk(same('spine shared-a', 'spine shared-b'))
  for (const name of ['other-k4', 'outside', 'no-k1', 'shared'])
    t.equal(at.get(`one ${name}`), null)
  t.same(
    [at.get('two twice-1'), at.get('two twice-2')],
    [null, null],
    'declared free of duplicates',
  )
  t.same(result.report.agencies, {
    spine: {
      serials: 8,
      withK1: 7,
      founded: 6,
      perfect: 0,
      match: 0,
      conflict: 2,
      quarantined: 0,
      unlinked: 0,
      duplicates: 1,
    },
    one: {
      serials: 9,
      withK1: 8,
      founded: 0,
      perfect: 3,
      match: 2,
      conflict: 2,
      quarantined: 0,
      unlinked: 2,
      duplicates: 1,
    },
    two: {
      serials: 2,
      withK1: 2,
      founded: 0,
      perfect: 0,
      match: 0,
      conflict: 2,
      quarantined: 0,
      unlinked: 0,
      duplicates: 0,
    },
  })
  t.equal(result.persons, 7)
})

test('quarantines a number on thirty people and keeps those of the spine as persons', async (t) => {
  const { session, path } = await openScratch(t)
  const own = { ...spine, isDuplicateFree: true }
  const records = Array.from({ length: 30 }, (_, index) =>
    record(index < 4 ? own : one, `s${index}`, { k1: 'hub', k4: `${index % 5}` }),
  )
  const result = await linked(session, path('hub'), records)
  t.equal(result.report.hubs, 1)
  t.equal(result.persons, 4)
  t.equal(result.report.agencies['one']?.quarantined, 26)
  t.equal(result.maps['delivery of one']?.linked, 0)
  t.equal(result.maps['delivery of spine']?.linked, 4)
})

const populations = fc.array(
  fc.record({
    source: fc.nat(3),
    k1: fc.option(fc.nat(6), { nil: undefined, freq: 8 }),
    k4: fc.option(fc.nat(4), { nil: undefined, freq: 4 }),
  }),
  { minLength: 1, maxLength: 40 },
)

function recordsOf(
  rows: readonly { source: number; k1?: number | undefined; k4?: number | undefined }[],
  free: boolean[],
): KeyRecord[] {
  return rows.map(({ source, k1, k4 }, index) => ({
    agency: ['spine', 'one', 'two', 'three'][source] ?? '',
    isSpine: source === 0,
    isDuplicateFree: free[source] ?? false,
    serial: `s${index}`,
    k1: k1 === undefined ? undefined : `n${k1}`,
    k4: k4 === undefined ? undefined : `b${k4}`,
  }))
}

test('links any population as the reference does', async (t) => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      populations,
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      async (rows, free) => {
        const { session, path, close } = await opened(t)
        const records = recordsOf([{ source: 0, k1: 0, k4: 0 }, ...rows], free)
        const expected = linkedByReference(records, rules)
        const result = await linked(session, path(`run-${run++}`), records)
        const at = await ordinalsOf(session, result)
        const ordinals = new Map<string, number | null | undefined>()
        for (const [index, { outcome, person }] of expected.entries()) {
          const { agency, serial } = records[index] ?? { agency: '', serial: '' }
          const ordinal = at.get(`${agency} ${serial}`)
          if (person === undefined) {
            if (ordinal !== null) throw new Error(`${agency} ${serial} is linked: ${outcome}`)
          } else if (ordinals.has(person)) {
            if (ordinals.get(person) !== ordinal) throw new Error(`${serial}: another person`)
          } else ordinals.set(person, ordinal)
        }
        const persons = new Set(ordinals.values())
        close()
        if (persons.has(null) || persons.has(undefined)) throw new Error('a person without a place')
        if (persons.size !== ordinals.size) throw new Error('two persons are one')
        if (result.persons !== persons.size) throw new Error('persons without a record')
        for (const [agency, counts] of Object.entries(result.report.agencies)) {
          const outcomes = expected.filter((_, index) => records[index]?.agency === agency)
          const of = (name: string): number =>
            outcomes.filter(({ outcome }) => outcome === name).length
          const { serials, founded, perfect, match, conflict, quarantined, unlinked } = counts
          const want = ['founded', 'perfect', 'match', 'conflict', 'quarantined', 'none'].map(of)
          const got = [founded, perfect, match, conflict, quarantined, unlinked]
          if (JSON.stringify(want) !== JSON.stringify(got))
            throw new Error(`${agency}: ${got} not ${want}`)
          if (serials !== outcomes.length) throw new Error('a record without an outcome')
          const found = outcomes.filter(({ person }) => person !== undefined)
          const distinct = new Set(found.map(({ person }) => person)).size
          if (counts.duplicates !== found.length - distinct) throw new Error('duplicates')
        }
      },
    ),
    { numRuns: 40 },
  )
  t.pass('forty populations')
})

async function opened(
  t: Test,
): Promise<{ session: Session; path: (name: string) => string; close: () => void }> {
  const { session, path } = await openScratch(t, { memoryMiB: 128 })
  return { session, path, close: () => session.close() }
}

test('gives the same bytes whatever the order of agencies, files and rows and the threads', async (t) => {
  const records = recordsOf(
    Array.from({ length: 3_000 }, (_, index) => ({
      source: (index * 7) % 4,
      ...(index % 11 === 0 ? {} : { k1: (index * 13) % 900 }),
      ...(index % 5 === 0 ? {} : { k4: index % 3 }),
    })),
    [false, false, true, false],
  )
  const digests: string[][] = []
  for (const [threads, order, files] of [
    [1, records, 1],
    [2, records.toReversed(), 3],
    [2, records.toSorted((a, b) => (tokenOf(a.serial) < tokenOf(b.serial) ? -1 : 1)), 2],
  ] as const) {
    const { session, path } = await openScratch(t, { threads })
    const result = await linked(session, path('run'), order, files)
    const paths = [
      result.personsFile,
      ...['spine', 'one', 'two', 'three'].map(
        (agency) => result.maps[`delivery of ${agency}`]?.file ?? '',
      ),
    ]
    const contents = await Promise.all(paths.map((file) => readFile(file)))
    digests.push(contents.map((bytes) => createHash('sha256').update(bytes).digest('hex')))
  }
  t.same(digests[1], digests[0])
  t.same(digests[2], digests[0])
})

test('refuses a serial in two parts and a linkage without one spine', async (t) => {
  const own = { ...spine, isDuplicateFree: false }
  const first = await openScratch(t)
  const twice = [record(own, 's', { k1: '1' }), record(own, 's', { k1: '2' })]
  const repeated = await refusalOf(linked(first.session, first.path('twice'), twice, 2))
  t.same([repeated.code, repeated.details], ['input-malformed', { agency: 'spine', serials: 1 }])
  const second = await openScratch(t)
  const none = await refusalOf(
    linked(second.session, second.path('none'), [record(one, 's', { k1: '1' })]),
  )
  t.equal(none.code, 'state-conflict')
})

const febrl = new URL('../../../shared/data/febrl/', import.meta.url)

const absent = existsSync(febrl) ? false : 'the FEBRL sets are not beside this repository'

test('finds the 4,561 true pairs of FEBRL 4 and no wrong one', { skip: absent }, async (t) => {
  const { session, path } = await openScratch(t)
  const read = (
    name: string,
    source: Pick<KeyRecord, 'agency' | 'isSpine' | 'isDuplicateFree'>,
  ): KeyRecord[] => {
    const [header = '', ...lines] = readFileSync(new URL(name, febrl), 'utf8').trim().split(/\r?\n/)
    const at = header.split(',').findIndex((column) => column.trim() === 'soc_sec_id')
    return lines.map((line) => {
      const cells = line.split(',').map((cell) => cell.trim())
      const number = cells[at]
      return record(source, cells[0] ?? '', number ? { k1: number } : {})
    })
  }
  const records = [
    ...read('dataset4a.csv', { ...spine, isDuplicateFree: true }),
    ...read('dataset4b.csv', one),
  ]
  t.equal(records.length, 10_000)
  const at = await ordinalsOf(session, await linked(session, path('febrl'), records))
  const personOfOrdinal = new Map<number, string>()
  let right = 0
  let wrong = 0
  for (const { agency, serial } of records) {
    const ordinal = at.get(`${agency} ${serial}`)
    const person = serial.replace(/^rec-(\d+)-.*$/, '$1')
    if (typeof ordinal !== 'number') continue
    if (agency === 'spine') personOfOrdinal.set(ordinal, person)
    else if (personOfOrdinal.get(ordinal) === person) right++
    else wrong++
  }
  t.same({ right, wrong }, { right: 4_561, wrong: 0 })
})
