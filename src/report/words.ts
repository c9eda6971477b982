/** The words of the quality page in both languages. */

export type Language = 'en' | 'ko'

/** [English, Korean]. */
const words = {
  title: ['Quality of a linkage', '결합 품질 보고서'],
  project: ['Project', '결합 과제'],
  linkage: ['Linkage', '결합'],
  trial: ['Linkage (trial)', '모의결합'],
  rules: ['Rule set', '규칙'],
  asked: ['Asked for', '요청'],
  ended: ['Ended', '완료'],
  counted: ['Counted after assembly', '결합 후 집계'],
  notCounted: ['not yet', '아직 없음'],
  persons: ['Persons in the spine', '기준 대상자'],
  smallNote: [
    'Counts of fewer than {n} persons are shown as “<{n}”; “*” is withheld because a small count would follow from it. 0 is shown.',
    '{n}명 미만은 “<{n}”으로, 그 값을 드러낼 수 있는 칸은 “*”로 표시합니다. 0은 그대로 표시합니다.',
  ],
  flow: ['What became of the records', '레코드의 처리 결과'],
  flowNote: [
    'Share of each agency’s records: linked by pass (of the spine: 9 founded a person, 0 and 3 did so beside a quarantined or contested number), or not linked. Where small counts are hidden, the rest of the linked and of the unlinked is drawn as one.',
    '기관별 레코드의 단계별 결합 및 미결합 비율(기준 기관의 9는 기준 생성, 0과 3은 격리·상충된 번호로 생성). 작은 값을 숨긴 경우 결합·미결합의 나머지를 한 덩어리로 그렸습니다.',
  ],
  agency: ['Agency', '제공기관'],
  waveFlow: ['Wave by wave: {agency}', '차수별: {agency}'],
  wave: ['Wave {n}', '{n}차'],
  inWaves: ['{agency} (wave\u00a0{waves})', '{agency} ({waves}차)'],
  delivered: ['Delivered', '제공'],
  valid: ['With a valid key to be found by', '유효 결합키 보유'],
  distinct: ['Distinct persons linked', '결합된 고유 인원'],
  linked: ['Linked', '결합'],
  unlinked: ['Not linked', '미결합'],
  duplicates: ['Duplicates', '중복'],
  possible: ['Possible', '가능'],
  conflict: ['Conflict', '상충'],
  quarantined: ['Quarantined', '격리'],
  none: ['None', '없음'],
  linkedRest: ['Linked, not told apart', '결합(구분 숨김)'],
  unlinkedRest: ['Not linked, not told apart', '미결합(구분 숨김)'],
  hiddenRest: ['Not told', '숨김'],
  withKey: ['With a valid {key}', '유효 {key}'],
  setAside: ['{key} of an empty or placeholder number', '빈 값·대체값 {key}'],
  passes1to2: ['Linked by passes 1–2 only', '1–2단계만 결합'],
  passes1to6: ['Linked by passes 1–6', '1–6단계 결합'],
  withPossible: ['Linked, with the possible', '가능 포함 결합'],
  flowTable: ['Records, keys and sensitivity', '레코드, 결합키, 민감도'],
  change: ['Change against the linkage before', '이전 결합 대비 변화'],
  changeNote: [
    'Persons keep their numbers from linkage to linkage. Attached, detached and moved are records of other agencies than the spine. Of the rates, the difference of the shares is told where both are.',
    '대상자 번호는 결합이 반복되어도 유지됩니다. 새 결합, 결합 해제, 이동은 기준 기관 외 레코드입니다. 결합률은 두 값이 모두 공개된 경우 차이를 표시합니다.',
  ],
  firstLinkage: [
    'This is the first linkage: there is none before it to hold it against.',
    '첫 결합이므로 비교할 이전 결합이 없습니다.',
  ],
  previous: ['Linkage before', '이전 결합'],
  count: ['Count', '수'],
  founded: ['Persons founded', '새 대상자'],
  kept: ['Persons known before', '기존 대상자'],
  merged: ['Persons merged into another', '통합된 대상자'],
  split: ['Persons split off another', '분리된 대상자'],
  attached: ['Records attached', '새로 결합된 레코드'],
  detached: ['Records detached', '결합이 풀린 레코드'],
  moved: ['Records moved to another person', '다른 대상자로 옮겨진 레코드'],
  expired: ['Unlinked records destroyed after their time', '보관 기한이 지나 파기된 미결합 레코드'],
  waiting: ['Unlinked records still waiting', '대기 중인 미결합 레코드'],
  held: ['Spine records with keys held back', '결합키가 보류된 기준 레코드'],
  torn: ['Spine records in contradicting decisions', '결정이 상충하는 기준 레코드'],
  casesPossible: ['To be decided: possible', '확인 대상: 가능'],
  casesConflict: ['To be decided: conflicts', '확인 대상: 상충'],
  casesMerge: ['To be decided: merges', '확인 대상: 통합'],
  casesDoubted: ['To be decided: doubted by their agency', '확인 대상: 제공기관 이의'],
  rateBefore: ['Link rate before', '이전 결합률'],
  rateNow: ['Link rate now', '현재 결합률'],
  drift: ['Drift (percentage points)', '변화(%p)'],
  keys: ['How keys were made', '결합키 생성'],
  keysNote: [
    'Recipe {version}: each agency brings the fields into one form and computes HMAC-SHA-256 of them under the agencies’ key. A field that is missing or invalid gives no key. K4 finds nobody; it forbids.',
    '생성 규칙 {version}: 각 기관이 항목을 표준화하고 기관 공동 열쇠로 HMAC-SHA-256을 계산합니다. 누락·무효 항목은 결합키를 만들지 않습니다. K4는 결합을 막는 데만 씁니다.',
  ],
  key: ['Key', '결합키'],
  fields: ['Fields in order', '항목(순서대로)'],
  sentBy: ['Sent by', '제공기관'],
  excluded: ['What was left out', '제외된 것'],
  excludedNote: [
    'Records without a valid key, quarantined, in conflict, possible and without a person are counted above. Beside them: notices that were set aside, and rows of tables whose person is outside the cohort or whose serial no key named. A part of keys with one fault is refused whole.',
    '유효 결합키가 없거나 격리·상충·가능·미결합인 레코드는 위에 있습니다. 그 밖에 적용하지 않은 변경 통지, 코호트 밖 대상자이거나 결합키가 없는 일련번호의 표 행입니다. 결합키 파일은 하나라도 잘못되면 전체를 받지 않습니다.',
  ],
  noticesUsed: ['Notices of changed numbers used', '적용한 번호 변경 통지'],
  noticesSetAside: ['Notices set aside', '적용하지 않은 변경 통지'],
  table: ['Table', '표'],
  rows: ['Rows', '행'],
  rowsKept: ['In the cohort', '코호트 포함'],
  rowsOutside: ['Person outside', '코호트 밖'],
  rowsUnknown: ['Serial unknown', '모르는 일련번호'],
  cases: ['Pairs that people may look at', '사람이 확인할 수 있는 쌍'],
  hubsOf: ['Quarantined {key}', '격리된 {key}'],
  recordRates: ['Link rate of the records', '레코드 결합률'],
  recordNote: [
    'Of an agency’s records, the share linked to a person of the spine, by the year of the record. Bars are 95 % Wilson intervals.',
    '기관 레코드 중 기준 대상자와 결합된 비율(레코드 연도별). 막대는 95 % 윌슨 신뢰구간입니다.',
  ],
  spineRates: ['Persons of the spine found', '기준 대상자 중 확인 비율'],
  spineNote: [
    'Of the persons of the spine, the share found in an agency, by the year of first diagnosis. Hollow: fewer than {n} on one side, so that only a range can be told. Not found does not mean alive, untreated or unvaccinated.',
    '기준 대상자 중 각 기관에서 확인된 비율(최초 진단 연도별). 빈 점은 한쪽이 {n}명 미만이어서 범위만 표시합니다. 확인되지 않음이 생존, 미치료, 미접종을 뜻하지는 않습니다.',
  ],
  total: ['All', '전체'],
  year: ['Year', '연도'],
  sex: ['Sex', '성별'],
  registrationNumber: ['Registration number', '주민·외국인등록번호'],
  name: ['Name', '성명'],
  birthDate: ['Date of birth', '생년월일'],
  age: ['Age', '연령'],
  region: ['Region', '지역'],
  site: ['Cancer site', '암종'],
  'birth-year': ['Birth year (mean)', '출생연도(평균)'],
  M: ['men', '남'],
  F: ['women', '여'],
  unknown: ['unknown', '미상'],
  other: ['other', '기타'],
  by: ['by', '기준:'],
  overlap: ['Overlap of the sources', '기관 간 중첩'],
  overlapNote: [
    'Persons of the spine by the agencies that know them; behind each agency, all that it knows. Small combinations are pooled.',
    '기준 대상자를 확인한 기관의 조합. 기관 이름 뒤는 확인된 전체 인원이며, 작은 조합은 합쳤습니다.',
  ],
  combination: ['Combination', '조합'],
  spineOnly: ['none but the spine', '기준 기관만'],
  pooled: ['pooled others', '합친 나머지'],
  differences: ['Linked beside unlinked records', '결합과 미결합 레코드의 차이'],
  differenceNote: [
    'Standardised differences of shares and means; beyond ±0.1 the linked no longer look like all (missed-match bias). The {m} largest are shown; all are in the JSON.',
    '비율과 평균의 표준화 차이. ±0.1을 넘으면 결합된 레코드가 전체를 대표하지 않을 수 있습니다(미결합 편향). 가장 큰 {m}개를 표시하며 전체는 JSON에 있습니다.',
  ],
  characteristic: ['Characteristic', '특성'],
  difference: ['Standardised difference', '표준화 차이'],
  checks: ['Implausibilities', '비개연성 점검'],
  checkNote: [
    'What cannot be true of one person, among linked records: a sign of wrong links or of errors in the records. It flags and deletes nothing. “Wrong at most”: records linked to somebody else if every difference were one, given how often two random persons differ.',
    '결합된 레코드에서 한 사람에게 있을 수 없는 값으로, 잘못된 결합이나 원자료 오류의 징후입니다. 표시만 하며 삭제하지 않습니다. “최대 오결합”은 모든 차이가 오결합일 때의 추정치로, 임의의 두 사람이 다를 확률로 보정했습니다.',
  ],
  check: ['Check', '점검'],
  pass: ['Pass', '단계'],
  compared: ['Compared', '비교'],
  flagged: ['Flagged', '해당'],
  share: ['Share (95 % interval)', '비율 (95 % 신뢰구간)'],
  wrong: ['Wrong at most', '최대 오결합'],
  'sex-differs': ['Sex differs from the spine', '성별 불일치'],
  'birth-year-differs': ['Birth year differs from the spine', '출생연도 불일치'],
  'two-death-dates': ['Two dates of death', '사망일 두 개'],
  'death-before-diagnosis': ['Death before diagnosis', '진단 전 사망'],
  'service-after-death': ['Care more than 60 days after death', '사망 60일 이후 진료'],
  'cancer-of-other-sex': ['Cancer of the other sex', '다른 성별의 암종'],
  'vaccination-before-rollout': ['Vaccination before 2021-02-26', '2021-02-26 이전 접종'],
  methods: ['Methods', '방법'],
  noNumbers: ['Too few to be shown.', '표시할 수 있는 값이 없습니다.'],
  trialNote: [
    'A trial links from keys alone. There are no persons and no cohort, so the data side counts nothing.',
    '모의결합은 결합키만으로 수행합니다. 대상자 목록과 코호트가 없으므로 결합 후 집계는 없습니다.',
  ],
  countsFollow: [
    'The data side has not counted yet: link rates, overlap, differences and implausibilities follow once a cohort of this linkage has been assembled.',
    '아직 집계 전입니다. 이 결합의 코호트가 만들어지면 결합률, 중첩, 차이, 비개연성이 표시됩니다.',
  ],
} as const satisfies Record<string, readonly [en: string, ko: string]>

type Word = keyof typeof words

/** The word in a language; `{name}` is replaced. */
export function say(
  language: Language,
  word: Word,
  values: Readonly<Record<string, string | number>> = {},
): string {
  const text: string = words[word][language === 'en' ? 0 : 1]
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

/** True for a key of `words`. */
export function isWord(text: string): text is Word {
  return Object.hasOwn(words, text)
}

/** What GUILD (Gilbert 2018) and RECORD (Benchimol 2015) ask to be told, beyond the numbers. */
export const methodNotes: readonly (readonly [en: string, ko: string])[] = [
  [
    'Sources and linkage unit (GUILD 1–2, RECORD 12.3): each agency normalised its own identifiers and sent keyed hashes (HMAC-SHA-256 under a key that the linkage unit never holds) with random serials. Keys and payload are seen by separate sides; no identifier reached either.',
    '자료원과 결합 기관(GUILD 1–2, RECORD 12.3): 각 기관이 식별정보를 표준화하여 결합기관이 갖지 않는 열쇠로 HMAC-SHA-256 결합키를 만들고 임의의 일련번호와 함께 보냈습니다. 결합키와 자료는 서로 다른 쪽에서만 보며 식별정보는 어느 쪽에도 전달되지 않았습니다.',
  ],
  [
    'Method: deterministic, in ordered passes around the spine (the cancer registry defines who is in). A key that stands for too many is quarantined; a second birth date or sex vetoes a link; a contradiction is a conflict, not a link. Same inputs, rules and keys give the same result.',
    '방법: 암등록(기준)을 중심으로 정해진 순서의 단계에 따른 결정적 결합입니다. 너무 많은 사람에 걸린 결합키는 격리하고, 생년월일·성별이 다르면 결합하지 않으며, 모순은 상충으로 남깁니다. 같은 입력·규칙·열쇠는 같은 결과를 냅니다.',
  ],
  [
    'Populations (RECORD 6.1, 13.1): “records” are serials of an agency; “persons” are persons of the spine. Age is that of the first year known; a record’s year and region are the earliest; contradicting values count as unknown. Sites follow topography (ICD-O-3).',
    '대상(RECORD 6.1, 13.1): “레코드”는 기관의 일련번호, “사람”은 기준 대상자입니다. 연령은 처음 알려진 연도의 나이, 연도와 지역은 가장 이른 값이며 서로 다른 값은 미상입니다. 암종은 ICD-O-3 국소부위 코드입니다.',
  ],
  [
    'Errors (GUILD 3, RECORD 12.3): false links are estimated from implausibilities, missed links from differences between linked and unlinked records. A record outside the spine is rightly unlinked, so 100 % is not the aim of a link rate.',
    '오류(GUILD 3, RECORD 12.3): 오결합은 비개연성으로, 미결합은 결합·미결합 레코드의 차이로 가늠합니다. 기준 대상이 아닌 레코드는 결합되지 않는 것이 맞으므로 결합률의 목표가 100 %는 아닙니다.',
  ],
  [
    'Intervals: Wilson 1927, 95 %. Standardised differences: Austin 2009. Disclosure: small counts are hidden with as many others as it takes that no known sum gives them away.',
    '신뢰구간: Wilson 1927, 95 %. 표준화 차이: Austin 2009. 노출 제한: 작은 값과, 합계로 그 값을 알아낼 수 있는 다른 칸을 함께 숨깁니다.',
  ],
]
