/** One finding about a policy. `warning`: probably a mistake; `note`: worth a look. */
export interface Finding {
  readonly level: 'warning' | 'note';
  readonly rule:
    | 'looser_row'
    | 'ungranted_scope'
    | 'open_to_strangers'
    | 'no_heavy_budget'
    | 'open_row'
    | 'trailing_slash'
    | 'issuer_no_url'
    | 'issuer_slash'
    | 'role_as_scope';
  /** Row or scope that the finding is about. */
  readonly at: string;
  readonly text: string;
}
