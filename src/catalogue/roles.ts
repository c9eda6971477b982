/**
 * What a column can mean to the code. The linkage's quality report looks for dates, sex and birth;
 * release rules look for diagnoses, numbers to re-key and dates to shift. A column without a role
 * is only ever carried.
 */
export const columnRoles = [
  'amount',
  'birth-year',
  'birth-year-month',
  'cancer-site',
  'cause-of-death',
  'claim-number',
  'confirmation-date',
  'death-date',
  'department',
  'diagnosis',
  'diagnosis-date',
  'drug',
  'histology',
  'institution-name',
  'institution-number',
  'line-number',
  'place-of-death',
  'procedure',
  'region',
  'screening-date',
  'secondary-diagnosis',
  'service-date',
  'sex',
  'special-benefit',
  'stage',
  'vaccination-date',
  'year',
] as const

/**
 * The roles of which a table has one column at most, because code reads "the" date of death, "the"
 * sex.
 */
export const rolesOncePerTable: ReadonlySet<string> = new Set([
  'birth-year',
  'birth-year-month',
  'cancer-site',
  'claim-number',
  'confirmation-date',
  'death-date',
  'diagnosis-date',
  'line-number',
  'service-date',
  'sex',
  'vaccination-date',
  'year',
])
