/** The records of the spine with their persons, once for all that is written of them: their map, the key index and cases. */

/**
 * Table `spine_link`: serial, file_row, person, ordinal and pass of every record of the spine; t1 and t4, its keys in force;
 * born, the number that it came with; version, the linkage that first brought it, first_wave and last_wave; and founded, on
 * one record of each person: the linkage that founded it.
 *
 * @param records - the view of the spine's records.
 * @param version - of this linkage.
 */
export function spineLinkStep(records: string, version: number): string {
  return `
  create temp table spine_link as
  with other as (
    -- Of the records of one person, the first tells of the person.
    select serial, person, ordinal, pass, row_number() over (partition by ordinal order by serial) = 1 as is_first
    from settled_spine
    join person using (founding)
  )
  select record.serial, file_row, coalesce(plain.person, other.person) as person,
    coalesce(plain.ordinal, other.ordinal) as ordinal, coalesce(other.pass, 9)::tinyint as pass,
    record.t1, record.t4,
    case when before.person is null then coalesce(plain.person, other.person)
      else coalesce(known.born, before.person) end as born,
    coalesce(known.version, ${version}) as version,
    case when plain.ordinal is not null or is_first then coalesce(before.version, ${version}) end as founded,
    least(known.first_wave, record.first_wave) as first_wave, record.last_wave
  from ${records} as record
  left join (select t1, person, ordinal from person where t1 is not null) as plain using (t1)
  left join other on other.serial = case when plain.person is null then record.serial end
  left join (select serial, born, version, first_wave from known_spine) as known on known.serial = record.serial
  left join (select person, version from known_person) as before
    on before.person = coalesce(plain.person, other.person)`
}
