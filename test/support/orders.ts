/** In which order the persons of a release stand, for tests of what that order tells. */

/** Of each person, known by their code alone, pseudonym and place in the table. */
export function ranksByCode(
  files: ReadonlyMap<string, Buffer>,
): Map<string, { pseudonym: string; rank: number }> {
  const [csv = ''] = [...files]
    .filter(([name]) => /^data\/cases\/.*csv$/.test(name))
    .map(([, bytes]) => bytes.toString())
  const rows = csv.trim().split('\n').slice(1)
  return new Map(
    rows.map((row, rank) => {
      const [pseudonym = '', code = ''] = row.split(',')
      return [code, { pseudonym, rank }]
    }),
  )
}

/** Of two orders of the same things (Spearman, no ties). */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const sum = a.reduce((total, rank, index) => total + (rank - (b[index] ?? 0)) ** 2, 0)
  return 1 - (6 * sum) / (a.length * (a.length ** 2 - 1))
}
