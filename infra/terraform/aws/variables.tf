variable "name" {
  description = "Prefix of every name that the module gives, and of the secrets."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "2 to 31 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "api" {
  description = "The API to attach to: its kind, its id, its execution ARN, and what the authorizer answers it. For http that is simple or iam, for rest request or token. root_resource_id goes with metadata_methods."
  type = object({
    kind             = string
    id               = string
    execution_arn    = string
    response         = string
    root_resource_id = optional(string)
  })
  validation {
    condition     = contains(["http/simple", "http/iam", "rest/request", "rest/token"], "${var.api.kind}/${var.api.response}")
    error_message = "kind http has response simple or iam, kind rest has response request or token."
  }
}

variable "metadata_methods" {
  description = "Whether a REST API gets the methods that answer the metadata of TGEFD_RESOURCE. It then has no resource .well-known of your own."
  type        = bool
  default     = false
  validation {
    condition     = !var.metadata_methods || var.api.kind == "http" || var.api.root_resource_id != null
    error_message = "With metadata_methods a REST API needs root_resource_id in api."
  }
}

variable "bundles" {
  description = "Folder with lambda-authorizer.mjs and lambda-archive.mjs, as `npm run build` makes them."
  type        = string
}

variable "environment" {
  description = "Variables of the product, no secret among them."
  type        = map(string)
  validation {
    condition     = alltrue([for name in keys(var.environment) : !can(regex("(_SECRET|_TOKEN|_API_KEY|_PSEUDONYM_KEY|_SIGNING_KEY|_ASSERTION_KEY|_ACCESS_KEY|_ACCESS_KEY_ID|_HEADERS)(_PREVIOUS)?$", name))])
    error_message = "A secret stands in Secrets Manager only."
  }
}

variable "policy" {
  description = "Text of a policy document (JSON) with your endpoint table, or null. It travels with the functions."
  type        = string
  default     = null
}

variable "secrets_extension_arn" {
  description = "ARN of the layer AWS-Parameters-and-Secrets-Lambda-Extension-Arm64 of your region (AWS documentation lists them). Without -Arm64 for architecture x86_64."
  type        = string
}

variable "architecture" {
  description = "Architecture of the functions, arm64 or x86_64: the one that the layer secrets_extension_arn is for."
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "authorizer_ttl_seconds" {
  description = "How long API Gateway keeps an answer. 0: every request is decided, limited and recorded."
  type        = number
  default     = 0
  validation {
    condition     = var.authorizer_ttl_seconds >= 0 && var.authorizer_ttl_seconds <= 3600
    error_message = "0 to 3600."
  }
}

variable "credential_header" {
  description = "The field that carries the credential (TGEFD_JWT_HEADER)."
  type        = string
  default     = "authorization"
}

variable "audit_lock" {
  description = "Object Lock of the audit bucket: nobody can shorten COMPLIANCE, not even the root user."
  type        = string
  default     = "COMPLIANCE"
  validation {
    condition     = contains(["COMPLIANCE", "GOVERNANCE"], var.audit_lock)
    error_message = "COMPLIANCE or GOVERNANCE."
  }
}

variable "audit_days" {
  description = "Ages of the three tiers: TGEFD_AUDIT_HOT_DAYS, _WARM_DAYS and _COLD_DAYS."
  type        = object({ hot = number, warm = number, cold = number })
  default     = { hot = 7, warm = 30, cold = 180 }
  validation {
    condition     = 0 < var.audit_days.hot && var.audit_days.hot < var.audit_days.warm && var.audit_days.warm < var.audit_days.cold
    error_message = "Three ages in days that grow."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
