/** What a run leaves: the next version of the key index, and the list of numbers that changed. */
import { quoteText, type Session } from '../session.ts'
import { parquetOptions } from '../take-table.ts'
import { indexColumns } from './known.ts'

/** Persons of a run against the version it went on from. */
export type PersonChange = { founded: number; kept: number; merged: number; split: number }

/**
 * Table `new_change` (person, other, reason): numbers given up to a survivor (`merge`), and numbers that came out of another
 * (`split`). Needs the tables of `numbering.ts`.
 */
export const changeStep = `
  create temp table new_change as
  select person, other, 'merge' as reason from merged
  union all
  select distinct claim.person, named.person, 'split'
  from claim
  join keeper using (person)
  join named on named.founding = claim.founding
  where claim.founding <> keeper.founding and named.person <> claim.person`

/**
 * Writes the index and the list of all changes: person UUID, other UUID, reason VARCHAR, version INTEGER, in order. The list
 * is for the data side, which tells each release domain its part of it.
 *
 * @param of.order - what puts the records of the spine into order of serial.
 */
export async function writeIndex(
  session: Session,
  {
    version,
    agencies,
    order,
    ...files
  }: {
    version: number
    agencies: readonly string[]
    order: 'serial' | 'file_row'
    indexFile: string
    changesFile: string
  },
): Promise<void> {
  await session.run(`
    create temp table all_change as
    select known_change.person, coalesce(merged.other, known_change.other) as other, reason, version
    from known_change
    left join merged on merged.person = known_change.other
    union all
    select person, other, reason, ${version} from new_change`)
  await session.run(`copy (from all_change order by all)
    to ${quoteText(files.changesFile)} (${parquetOptions})`)
  await session.run(`copy (${indexQuery(agencies, order)})
    to ${quoteText(files.indexFile)} (${parquetOptions})`)
}

/**
 * All rows of the index, sorted: of rows that several queries give, a file on one thread would have other groups than one on
 * many. Needs `all_change`.
 */
function indexQuery(agencies: readonly string[], order: 'serial' | 'file_row'): string {
  const names = `[${agencies.map(quoteText).join(', ')}]`
  const none = indexColumns.split(',').map((name) => name.trim())
  const row = (kind: string, own: readonly string[], as: Record<string, string> = {}): string => {
    const value = (name: string): string =>
      name === 'kind' ? quoteText(kind) : (as[name] ?? (own.includes(name) ? name : 'null'))
    return none.map((name) => `${value(name)} as ${name}`).join(', ')
  }
  const ofSpine = ['serial', 'person', 't1', 't4', 'version', 'founded', 'first_wave', 'last_wave']
  const asSpine = {
    ordinal: 'case when founded is not null then ordinal end',
    other: 'nullif(born, person)',
  }
  const place = order === 'serial' ? 'row_number() over (order by serial)' : order
  return `
      select * exclude (rank, place)
      from (
        select *, 0 as rank, 0 as place from no_index
        union all
        select ${row('spine', ofSpine, asSpine)}, 1, ${place} from spine_link
        union all
        select ${row('change', ['person', 'other', 'reason', 'version'])}, 2,
          row_number() over (order by person, other, reason, version)
        from all_change
        union all
        select ${row('case', ['case_id', 'agency', 'serial', 'spine_serial', 'reason'])}, 3,
          row_number() over (order by case_id)
        from (
          select case_id, agency, serial, spine_serial, max(reason) as reason
          from (
            select case_id, ${names}[agency + 1] as agency, serial, spine_serial,
              case kind when 'doubted' then 'doubt' end as reason
            from work_case
            union
            from known_case
          )
          group by case_id, agency, serial, spine_serial
        )
        union all
        select ${row('together', ['serial', 'spine_serial'])}, 4, row_number() over (order by serial, spine_serial)
        from together where serial <> spine_serial
      )
      order by rank, place`
}

/** How many persons are new, known, gone and split off. */
export async function personChange(session: Session): Promise<PersonChange> {
  const [counted] = await session.rows<PersonChange>(`
    select
      (select count(*) from person anti join known_person using (person)) as founded,
      (select count(*) from person semi join known_person using (person)) as kept,
      (select count(*) from new_change where reason = 'merge') as merged,
      (select count(*) from new_change where reason = 'split') as split`)
  return counted ?? { founded: 0, kept: 0, merged: 0, split: 0 }
}
