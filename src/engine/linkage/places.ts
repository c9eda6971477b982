/** Where every record stands after all passes. */
import { Refusal } from '../../core/errors.ts'
import { quoteText, type Session } from '../session.ts'
import { plainPass, plainPattern } from './persons.ts'
import { type AgencyFiles, recordsFrom } from './records.ts'

/**
 * Table `placed` (agency, serial, ordinal, pass, pattern): what came of every record that one join does not place; and
 * `file_row` of those that are not the spine's.
 */
export const placedStep = `
  create temp table placed as
  select outcome.*, file_row::integer as file_row
  from (
    select agency, serial, case when by_weaker.serial is null then settled.ordinal else by_weaker.ordinal end as ordinal,
      coalesce(by_weaker.pass, settled.pass) as pass,
      case when by_weaker.serial is null then settled.pattern else by_weaker.pattern end as pattern
    from settled
    full join by_weaker using (agency, serial)
  ) as outcome
  left join (select agency, serial, file_row from kept_record where not is_spine) as kept using (agency, serial)`

/**
 * Makes the table `place_<n>` (file_row, ordinal, pass, pattern): what came of every record of an agency that is not the
 * spine, in the order of `recordsFrom`, so that they are laid beside the serials row by row. Needs `beside` and `placed`.
 *
 * @throws {Refusal} `input-malformed` when a serial is in two parts of a delivery, so that it would have two places.
 * @throws {Error} when there is not one place for each record for another reason: a defect.
 */
export async function placeRecords(
  session: Session,
  of: Pick<AgencyFiles, 'agency' | 'deliveries'> & { name: string },
): Promise<void> {
  const { agency, name } = of
  const place = placeOf(agency)
  await session.run(`
    create table ${place} as
    select record.file_row, coalesce(record.ordinal, placed.ordinal) as ordinal,
      coalesce(placed.pass, record.pass) as pass, coalesce(record.pattern, placed.pattern) as pattern
    from (
      select file_row, ordinal, ${plainPass('same_4 is null')} as pass, ${plainPattern('same_4 is null')} as pattern
      from (select file_row, row, same_4, false as is_spine from beside where agency = ${agency})
      left join (select row, ordinal from person where row is not null) using (row)
    ) as record
    -- Nothing else places a record that one join has linked.
    left join (from placed where agency = ${agency}) as placed
      on placed.file_row = case when record.ordinal is null then record.file_row end
    order by record.file_row`)
  const [found] = await session.rows<{ astray: number; missing: number }>(`
    select count(*) filter (file_row is distinct from rowid) as astray,
      (select count(*) from ${recordsFrom(of)}) - count(*) as missing
    from ${place}`)
  if (found?.astray === 0 && found.missing === 0) return
  const [repeated] = await session.rows<{ serials: number }>(`
    select count(*) - count(distinct serial) as serials from ${recordsFrom(of)}`)
  if (repeated && repeated.serials > 0) throw inTwoParts(name, repeated.serials)
  throw new Error('a record has no place')
}

/** How many records of an agency are looked at: each is found in its row group alone. */
const sampleRows = 8

/**
 * Looks at some records of an agency, from its first to its last: each serial has in the maps the place of its own record.
 * They are written by laying places beside serials; one row too many would give everybody after it somebody else's.
 *
 * @param maps - Parquet of `mapStep`.
 * @throws {Error} when one has another place: a defect.
 */
export async function requireOwnPlaces(
  session: Session,
  agency: number,
  maps: readonly string[],
): Promise<void> {
  const place = placeOf(agency)
  const [counted] = await session.rows<{ last: number }>(
    `select count(*) - 1 as last from ${place}`,
  )
  const last = counted?.last ?? -1
  if (last < 0 || maps.length === 0) return
  const rows = Array.from({ length: sampleRows }, (_, at) =>
    Math.round((at * last) / (sampleRows - 1)),
  )
  const [found] = await session.rows<{ astray: number }>(`
    select count(*) as astray
    from (select serial, file_row from record_${agency} where file_row in (${rows.join(', ')})) as record
    join ${place} as place using (file_row)
    join read_parquet([${maps.map(quoteText).join(', ')}]) as map using (serial)
    where map.ordinal is distinct from place.ordinal`)
  if (found?.astray !== 0) throw new Error('a map is out of step with its records')
}

/** The table of `placeRecords`. It is not temporary: `session.runBeside` reads it. */
export function placeOf(agency: number): string {
  return `place_${agency}`
}

/** What a delivery with a serial in two of its parts is refused with. */
export function inTwoParts(agency: string, serials: number): Refusal {
  return new Refusal('input-malformed', 'A serial is in two key parts of a delivery.', {
    agency,
    serials,
  })
}
