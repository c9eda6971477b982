/**
 * Which pseudonyms of a domain stand for another person number now. Numbers change when two persons turn out to be one
 * (`merge`), or one to be two (`split`); whoever holds an earlier release has to be told.
 */
import type { OnTexts } from './column-function.ts'
import { quoteText, type Session } from './session.ts'

/**
 * Table `changed_pseudonym` (old, other, reason, version): every change of a linkage in pseudonyms of one domain.
 *
 * @param of.changes - Parquet: person, other, reason, version; undefined where nothing has changed yet.
 * @param of.pseudonymTextsOf - person numbers (n × 16 bytes) → texts of their pseudonyms.
 */
export async function findChangedPseudonyms(
  session: Session,
  of: { changes: string | undefined; pseudonymTextsOf: OnTexts },
): Promise<void> {
  session.registerTextFunction('changed_pseudonym_of', of.pseudonymTextsOf)
  const from =
    of.changes === undefined
      ? `(select null::uuid as person, null::uuid as other, '' as reason, 0 as version where false)`
      : `read_parquet(${quoteText(of.changes)})`
  await session.run(`
    create temp table changed_pseudonym as
    select changed_pseudonym_of(person) as old, changed_pseudonym_of(other) as other, reason, version
    from ${from}`)
}

/**
 * Writes, as CSV, what those who hold earlier releases have to know: pseudonym_before, pseudonym_after, reason. The new one
 * is empty where that person is not in this release; a person who was in no earlier release is not in it. Needs
 * `changed_pseudonym`.
 *
 * @param of.earlier - lists of persons (pseudonym) of earlier releases, and the key index version that each rests on.
 * @param of.persons - this release's list of persons (pseudonym).
 */
export async function writePseudonymChanges(
  session: Session,
  of: {
    earlier: readonly { file: string; version: number }[]
    persons: string
    output: string
  },
): Promise<void> {
  const shown = of.earlier.map(
    ({ file, version }) =>
      `select pseudonym, ${version} as version from read_parquet(${quoteText(file)})`,
  )
  await session.run(`
    copy (
      with shown as (
        select pseudonym, min(version) as version from (${shown.join(' union all ')}) group by pseudonym
      )
      select old as pseudonym_before, coalesce(there.pseudonym, '') as pseudonym_after, reason
      from changed_pseudonym as changed
      join shown on shown.pseudonym = old and shown.version < changed.version
      left join read_parquet(${quoteText(of.persons)}) as there on there.pseudonym = other
      order by all
    ) to ${quoteText(of.output)} (format csv, header)`)
}
