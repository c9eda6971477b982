/**
 * Every record of the other agencies laid beside the spine's, by number. Nearly all are of a person of the spine and
 * agree with its one record in every key: one join tells so, and what follows looks side by side at the others alone.
 */
import type { AgencyFiles } from './records.ts'
import type { WeakerType } from './shared-keys.ts'

/**
 * Tables of tokens, without serials:
 *
 * - `spine_row` (t1, t4 and the weaker tokens): the records of the spine, told by their `rowid`.
 * - `repeated_<n>`: tokens of a type that several of them have.
 * - `beside` (agency, file_row, t1, t4, weaker tokens): the records of all others. `row`: the record of the spine with the
 *   same K1, NULL where none has it or several do; `same_2` and so on: whether the two agree in a key, NULL where one of
 *   them does not have it.
 * - `k4_apart` (t1): numbers of which an agency has a K4 that the spine does not have.
 *
 * `beside` is by far the greatest table of a run: `doneTokensSteps` give the memory of its tokens to what comes after.
 *
 * @param types - which weaker keys are sent; there are no columns of the others.
 */
export function besideSteps(
  agencies: readonly AgencyFiles[],
  types: readonly WeakerType[],
): string[] {
  const tokens = tokenColumns(types)
  return [
    `create temp table spine_row as select ${tokens.join(', ')} from record where is_spine`,
    ...[1, ...types].map(
      (type) => `
      create temp table repeated_${type} as
      select t${type} from spine_row where t${type} is not null group by t${type} having count(*) > 1`,
    ),
    besideStep(agencies, tokens),
    `create temp table k4_apart as
    select distinct t1 from beside where row is not null and t4 is not null and same_4 is distinct from true`,
  ]
}

/** Drops the tokens of `beside`. */
export function doneTokensSteps(types: readonly WeakerType[]): string[] {
  return tokenColumns(types).map((token) => `alter table beside drop column ${token}`)
}

/** The columns of tokens of `spine_row` and `beside`. */
export function tokenColumns(types: readonly WeakerType[]): string[] {
  return ['t1', 't4', ...types.map((type) => `t${type}`)]
}

function besideStep(agencies: readonly AgencyFiles[], tokens: readonly string[]): string {
  const others = agencies.filter(({ isSpine }) => !isSpine).map(({ agency }) => agency)
  const same = tokens
    .filter((token) => token !== 't1')
    .map((token) => `other.${token} = spine.${token} as ${token.replace('t', 'same_')}`)
  const from = others.map((agency) => `select * from record_${agency}`)
  return `
    create temp table beside as
    select other.agency, other.file_row::integer as file_row, ${tokens.map((token) => `other.${token}`).join(', ')}, row, ${same.join(', ')}
    from (${from.length > 0 ? from.join(' union all ') : 'select * from record where false'}) as other
    left join (
      select rowid::integer as row, *
      from spine_row
      anti join repeated_1 using (t1)
      where t1 is not null
    ) as spine on spine.t1 = other.t1`
}
