/** Small populations with every kind of dirt of `shared/KOREA.md` §5, and the way from records to token files. */
import { createHash, createSecretKey } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import fc from 'fast-check'
import { macColumn } from '../../../src/core/mac.ts'
import type { LinkRules } from '../../../src/core/passes.ts'
import { type Linked, linkPersons } from '../../../src/engine/link.ts'
import type { LinkDelivery } from '../../../src/engine/linkage/agencies.ts'
import type { LinkProgress } from '../../../src/engine/linkage/run-passes.ts'
import { quoteText, type Session } from '../../../src/engine/session.ts'
import { sortedOptions } from '../../../src/engine/sorted-files.ts'
import type { OracleRecord } from './oracle.ts'

export type Population = {
  records: OracleRecord[]
  notices: [string, string][]
}

/** Populations that share no key, so that one linkage of them all is many linkages. */
export type Populations = Population[]

const personKey = createSecretKey(Buffer.alloc(32, 9))
export const personsOf = (tokens: Uint8Array): Uint8Array =>
  macColumn('cmac-aes-256', personKey, tokens, 16)

/** The token of a key: any text has one. */
export function tokenOf(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

const names = ['spine', 'one', 'two', 'three']
const keyNames = ['k1', 'k2', 'k3', 'k4', 'k5'] as const

/** Who somebody is: few of everything, so that twins, namesakes and shared numbers are common. */
const people = fc.array(
  fc.record({ number: fc.nat(9), name: fc.nat(2), birth: fc.nat(2), second: fc.nat(2) }),
  { minLength: 1, maxLength: 8, size: 'max' },
)

const sightings = fc.array(
  fc.record({
    who: fc.nat(9),
    source: fc.nat(3),
    /** What is wrong with it. */
    dirt: fc.constantFrom(
      'none',
      'none',
      'none',
      'no number',
      'new number',
      'mistyped number',
      "somebody's number",
      'hub',
      'no birth',
      'other birth',
      'mistyped name',
      'no name',
      'other second',
      'only number',
    ),
    other: fc.nat(9),
    claim: fc.option(fc.nat(5), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 24, size: 'max' },
)

const notices = fc.array(
  fc.tuple(fc.nat(9), fc.constantFrom('changed', 'changed', 'other', 'hub'), fc.nat(9)),
  { maxLength: 5 },
)

/** Any small populations: records of up to four agencies, with notices for some changed numbers. */
export const populations: fc.Arbitrary<Populations> = fc
  .tuple(
    fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    fc.array(fc.tuple(people, sightings, notices), { minLength: 1, maxLength: 10, size: 'max' }),
  )
  .map(([free, groups]) =>
    groups.map(([everybody, seen, told], group) => {
      const own = `g${group}`
      const records = seen.map((sighting, index) =>
        recordOf(everybody, sighting, `${own}-${index}`, free),
      )
      records.push({ ...source(0, free), serial: `${own}-first`, k1: 'n0', k2: 'm0', k4: 'b0' })
      const pairs = told.map(([a, kind, b]): [string, string] => [
        `n${a}`,
        kind === 'changed' ? `changed ${a}` : kind === 'hub' ? 'hub' : `n${b}`,
      ])
      return {
        records: records.map((record) => within(own, record)),
        notices: pairs.map(([a, b]): [string, string] => [`${own} ${a}`, `${own} ${b}`]),
      }
    }),
  )

/** The record with keys that no other population has. */
function within(own: string, record: OracleRecord): OracleRecord {
  const keys = keyNames.flatMap((name) => {
    const key = record[name]
    return key === undefined ? [] : [[name, `${own} ${key}`]]
  })
  return { ...record, ...Object.fromEntries(keys) }
}

function source(
  at: number,
  free: readonly boolean[],
): Pick<OracleRecord, 'agency' | 'isSpine' | 'isDuplicateFree'> {
  return { agency: names[at] ?? '', isSpine: at === 0, isDuplicateFree: free[at] ?? false }
}

type Who = { number: number; name: number; birth: number; second: number }
type Sighting = {
  who: number
  source: number
  dirt: string
  other: number
  claim?: number | undefined
}

function recordOf(
  everybody: readonly Who[],
  { who, source: at, dirt, other, claim }: Sighting,
  serial: string,
  free: readonly boolean[],
): OracleRecord {
  const { number, name, birth, second } = everybody[who % everybody.length] ?? {
    number: 0,
    name: 0,
    birth: 0,
    second: 0,
  }
  const k1 = new Map<string, string | undefined>([
    ['no number', undefined],
    ['new number', `changed ${number}`],
    ['mistyped number', `typo ${serial}`],
    ["somebody's number", `n${other}`],
    ['hub', 'hub'],
  ])
  const day = dirt === 'other birth' ? `b${other}` : `b${birth}`
  const called = dirt === 'mistyped name' ? `m${name}?${other % 2}` : `m${name}`
  const k2 = dirt === 'no name' || dirt === 'no birth' ? undefined : `${called} ${day}`
  const beyond = dirt === 'other second' ? other : second
  const keys = {
    k1: k1.has(dirt) ? k1.get(dirt) : `n${number}`,
    k2,
    k3: k2 === undefined ? undefined : `${k2} s${beyond}`,
    k4: dirt === 'no birth' ? undefined : day,
    k5: claim === undefined || at === 0 || at === 3 ? undefined : `c${claim}`,
  }
  const sent = dirt === 'only number' ? { k1: keys.k1, k4: keys.k4 } : keys
  const filled = Object.entries(sent).filter(([, key]) => key !== undefined)
  return { ...source(at, free), serial, ...Object.fromEntries(filled) }
}

/** How records lie in files; `isSorted`: as when they are taken. */
export type Layout = {
  files?: number
  isSorted?: boolean
  rules: LinkRules
  onProgress?: (progress: LinkProgress) => void
}

/** Writes records as token files and links them. */
export async function link(
  session: Session,
  dir: string,
  { records, notices }: Population,
  { files = 1, isSorted = false, rules, ...told }: Layout,
): Promise<Linked> {
  await mkdir(dir, { recursive: true })
  const deliveries: LinkDelivery[] = []
  for (const agency of new Set(records.map((record) => record.agency))) {
    const rows = records.filter((record) => record.agency === agency)
    const paths: string[] = []
    for (let part = 0; part < files; part++) {
      const path = `${dir}/${agency}-${part}.parquet`
      await writeTokens(
        session,
        path,
        rows.filter((_, index) => index % files === part),
        isSorted,
      )
      paths.push(path)
    }
    const { isSpine = false, isDuplicateFree = false } = rows[0] ?? {}
    deliveries.push({
      deliveryId: agency,
      agency,
      wave: 1,
      isSpine,
      isDuplicateFree,
      keyTypes: ['K1', 'K2', 'K3', 'K4', 'K5'],
      files: paths,
      noticeFiles: deliveries.length === 0 ? [`${dir}/notices.parquet`] : [],
    })
  }
  await writeNotices(session, `${dir}/notices.parquet`, notices)
  return await linkPersons(session, { deliveries, rules, personsOf, outDir: dir, ...told })
}

/** Writes pairs of numbers as a file of notices. */
export async function writeNotices(
  session: Session,
  path: string,
  notices: readonly [string, string][],
): Promise<void> {
  const pairs = notices.map(([a, b]) => `('${tokenOf(a)}', '${tokenOf(b)}')`)
  await session.run(`copy (select a::uuid as old_t1, b::uuid as new_t1
    from (values ${[...pairs, '(null, null)'].join(', ')}) as v(a, b))
    to ${quoteText(path)} (format parquet)`)
}

/** Writes records as a token file, in the order given or sorted. */
export async function writeTokens(
  session: Session,
  path: string,
  rows: readonly OracleRecord[],
  isSorted = false,
): Promise<void> {
  const values = rows.map((row) => {
    const tokens = keyNames.map((name) => {
      const key = row[name]
      return key === undefined ? 'null' : `'${tokenOf(key)}'`
    })
    return `('${row.serial}', ${tokens.join(', ')})`
  })
  await session.run(`
    copy (
      select serial, t1::uuid as t1, t2::uuid as t2, t3::uuid as t3, t4::uuid as t4, t5::uuid as t5
      from (values ${[...values, "('', null, null, null, null, null)"].join(', ')})
        v(serial, t1, t2, t3, t4, t5)
      where serial <> ''
      ${isSorted ? 'order by serial' : ''}
    ) to ${quoteText(path)} (${isSorted ? sortedOptions : 'format parquet'})`)
}

/** Where the serials of an agency stand. */
export async function placesOf(
  session: Session,
  result: Linked,
): Promise<Map<string, { ordinal: number | null; pass: number | null; pattern: string | null }>> {
  const places = new Map()
  for (const [agency, { file }] of Object.entries(result.maps)) {
    const rows = await session.rows<{ serial: string; ordinal: number | null }>(
      `select * from read_parquet(${quoteText(file)})`,
    )
    for (const { serial, ...place } of rows) places.set(`${agency} ${serial}`, place)
  }
  return places
}
