/** What a decision says of a case: one person, two, or that nothing is decided any more. */
export type CaseVerdict = 'must-link' | 'cannot-link' | 'undecided'

/** A case as one linkage found it and as the worklist shows it. Nothing in it tells who it is. */
export type LinkCase = {
  caseId: string
  /**
   * `possible`: it may be; `conflict`: its keys name the person and something forbids it; `merge`: two of the spine;
   * `doubted`: it is linked, and its agency doubts that.
   */
  kind: 'possible' | 'conflict' | 'merge' | 'doubted'
  agency: string
  wave: number
  /** Null for a pair of the spine. */
  pass: number | null
  /**
   * The agreement pattern, five letters for K1 to K5: `=` agrees, `x` differs, `-` is missing on a side, `n` is joined by a
   * notice, `.` was not compared. Null for a pair of the spine.
   */
  pattern: string | null
  /** How many persons the record may be. */
  candidates: number
  /** How many records have the name key that both have; null where none or no name agrees. */
  nameShared: number | null
}

/** Cases of a linkage beyond these are counted but not listed. */
export const casesMax = 50_000
