import { koreanRecipe } from '../../src/core/recipe.ts'
import { normalisedFields } from '../../src/core/recipe-key.ts'
import { openSession, quoteText, type Session } from '../../src/engine/session.ts'
import type { HeldPerson } from './support.ts'

/** How a linkage of the tests works: passes 0 to 3 and 9 of LINKAGE.md, or less. */
export type Passes = { hasVeto: boolean; hubMax: number; notices?: Map<string, string> }

type Keyed = { agency: string; id: string; k1: string | undefined; k4: string | undefined }

/**
 * K1 and K4 of every record, as the recipe's reference makes their messages: the fields stand for
 * the keys.
 */
export function keysOf(held: Record<string, HeldPerson[]>): Keyed[] {
  return Object.entries(held).flatMap(([agency, persons]) =>
    persons.map(({ id, number, name, birth, sex }) => {
      const raw = { registrationNumber: number, name, birthDate: birth, sex }
      const [k1] = normalisedFields(koreanRecipe, 'K1', raw) ?? []
      return { agency, id, k1, k4: normalisedFields(koreanRecipe, 'K4', raw)?.join() }
    }),
  )
}

/**
 * Agency → id → ordinal. A plain second writing of the passes, made from the agencies' files alone.
 */
export function linkOf(records: Keyed[], passes: Passes): Map<string, Map<string, number>> {
  const hubs = hubsOf(records, passes.hubMax)
  const oneNumber = (k1: string): string => passes.notices?.get(k1) ?? k1
  const spine = new Map<string, { ordinal: number; k4: string | undefined }>()
  const maps = new Map<string, Map<string, number>>()
  for (const { agency } of records) if (!maps.has(agency)) maps.set(agency, new Map())
  for (const [ordinal, { id, k1, k4 }] of records.filter((r) => r.agency === 'ncc').entries()) {
    maps.get('ncc')?.set(id, ordinal)
    if (k1 !== undefined && !hubs.has(k1)) spine.set(oneNumber(k1), { ordinal, k4 })
  }
  for (const { agency, id, k1, k4 } of records) {
    if (agency === 'ncc' || k1 === undefined || hubs.has(k1)) continue
    const found = spine.get(oneNumber(k1))
    if (found === undefined) continue
    const isVetoed = k4 !== undefined && found.k4 !== undefined && k4 !== found.k4
    if (!isVetoed || !passes.hasVeto) maps.get(agency)?.set(id, found.ordinal)
  }
  return maps
}

function hubsOf(records: Keyed[], max: number): Set<string> {
  const births = new Map<string, Set<string>>()
  const serials = new Map<string, number>()
  for (const { agency, k1, k4 } of records) {
    if (k1 === undefined) continue
    const seen = births.get(k1) ?? new Set()
    births.set(k1, k4 === undefined ? seen : seen.add(k4))
    const place = `${agency} ${k1}`
    serials.set(place, (serials.get(place) ?? 0) + 1)
  }
  const many = [...serials].filter(([, count]) => count > max).map(([place]) => place.split(' ')[1])
  const hubs = [...births].filter(([, seen]) => seen.size > max).map(([k1]) => k1)
  return new Set([...hubs, ...many.filter((k1) => k1 !== undefined)])
}

/** Writes what the agencies' tool and the linkage would: serial maps and link maps as Parquet. */
export async function writeMaps(
  dir: string,
  records: Keyed[],
  maps: Map<string, Map<string, number>>,
): Promise<{ serials: Record<string, string>; maps: Record<string, string> }> {
  const session = await openSession({ scratchDir: dir, memoryMiB: 256, threads: 1 })
  const paths = { serials: {} as Record<string, string>, maps: {} as Record<string, string> }
  const write = async (
    path: string,
    columns: [string, string],
    rows: string[],
  ): Promise<string> => {
    const [first, second] = columns
    // A row of nulls gives the columns their types where there are no others.
    const values = ['(null, null)', ...rows].join(', ')
    await session.run(
      `copy (select ${first}::varchar as ${first}, ${second} from (values ${values}) t(${first},
        ${second})
        where ${first} is not null) to ${quoteText(path)} (format parquet)`,
    )
    return path
  }
  for (const [agency, map] of maps) {
    const ids = records.filter((record) => record.agency === agency).map(({ id }) => id)
    const serials = ids.map((id) => `(${quoteText(id)}, ${quoteText(`S.${id}`)})`)
    const links = [...map].map(([id, ordinal]) => `(${quoteText(`S.${id}`)}, ${ordinal})`)
    paths.serials[agency] = await write(
      `${dir}/${agency}-serials.parquet`,
      ['id', 'serial'],
      serials,
    )
    paths.maps[agency] = await write(`${dir}/${agency}-map.parquet`, ['serial', 'ordinal'], links)
  }
  session.close()
  return paths
}

/** Writes the tokens of one agency as the intake of keys would: serial, t1 to t5. */
export async function writeTokens(
  session: Session,
  agency: string,
  records: Keyed[],
): Promise<string> {
  const path = `${session.scratchDir}/${agency}-tokens.parquet`
  const token = (key: string | undefined) => (key === undefined ? 'null' : quoteText(key))
  const values = records
    .filter((record) => record.agency === agency)
    .map(({ id, k1, k4 }) => `(${quoteText(`S.${id}`)}, ${token(k1)}, ${token(k4)})`)
  await session.run(
    `copy (select serial, md5('K1' || k1)::uuid as t1, null::uuid as t2, null::uuid as t3,
        md5('K4' || k4)::uuid as t4, null::uuid as t5
      from (values ${values.join(', ')}) t(serial, k1, k4)) to ${quoteText(path)} (format parquet)`,
  )
  return path
}
