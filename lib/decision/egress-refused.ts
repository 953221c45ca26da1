/** Thrown when something would leave for a place that the configuration does not name. Carries the host, never the URL. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly host: string;
  readonly why: string;
  constructor(host: string, why: string) {
    super(`egress to ${host} refused: ${why}`);
    this.host = host;
    this.why = why;
  }
}
