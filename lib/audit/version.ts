/** Version of the record format. A field that is added, dropped or read differently is a new version. */
export const RECORD_VERSION = 2;
