locals {
  is_http   = var.api.kind == "http"
  is_simple = var.api.response == "simple"
  kept      = var.authorizer_ttl_seconds > 0
  function  = aws_lambda_function.function["authorizer"]
  # The metadata of the protected resource on a REST API: the path itself, and whatever path the resource has behind it.
  has_rest_metadata = !local.is_http && local.has_resource && var.metadata_methods
  rest_metadata = local.has_rest_metadata ? {
    whole  = aws_api_gateway_resource.metadata[0].id
    behind = aws_api_gateway_resource.metadata_behind[0].id
  } : {}
  # TGEFD_FORWARD_CLAIMS, wherever it stands: claim path to field.
  forward_claims = merge(
    try(jsondecode(var.policy).forward_claims, {}),
    try(jsondecode(var.environment["TGEFD_POLICY"]).forward_claims, {}),
    try(jsondecode(var.environment["TGEFD_FORWARD_CLAIMS"]), {}),
  )
  # x-auth-request-tenant-id is claimTenantId in the context of the authorizer.
  claims = {
    for field in values(local.forward_claims) :
    lower(field) => "claim${join("", [for word in split("-", trimprefix(lower(field), "x-auth-request-")) : title(word)])}"
  }
  # Set over whatever the caller sent: request_parameters of your integrations.
  fixed_identity = {
    x-auth-request-issuer = "issuer"
    x-auth-request-user   = "subject"
    x-auth-request-scopes = "scopes"
    x-auth-request-method = "authMethod"
    x-request-id          = "requestId"
    traceparent           = "traceparent"
  }
  identity = merge(local.claims, local.fixed_identity)
}

resource "aws_apigatewayv2_authorizer" "http" {
  count                             = local.is_http ? 1 : 0
  api_id                            = var.api.id
  name                              = var.name
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = local.function.invoke_arn
  authorizer_payload_format_version = local.is_simple ? "2.0" : "1.0"
  enable_simple_responses           = local.is_simple
  authorizer_result_ttl_in_seconds  = var.authorizer_ttl_seconds
  # A simple answer that is kept covers every route of the API, unless the route is part of what it is kept under.
  identity_sources = local.kept ? concat(
    ["$request.header.${var.credential_header}"],
    local.is_simple ? ["$context.routeKey"] : [],
  ) : []
}

resource "aws_api_gateway_authorizer" "rest" {
  count                            = local.is_http ? 0 : 1
  rest_api_id                      = var.api.id
  name                             = var.name
  type                             = upper(var.api.response)
  authorizer_uri                   = local.function.invoke_arn
  authorizer_result_ttl_in_seconds = var.authorizer_ttl_seconds
  # Without caching no identity source: API Gateway refuses a request without it by itself, and nothing is recorded.
  identity_source = local.kept || var.api.response == "token" ? "method.request.header.${var.credential_header}" : null
}

resource "aws_lambda_permission" "api" {
  statement_id  = "Api"
  action        = "lambda:InvokeFunction"
  function_name = local.function.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${var.api.execution_arn}/authorizers/*"
}

# Metadata of the protected resource (RFC 9728), without credentials. The domain of the API must have neither a stage nor a
# base path in front.
resource "aws_apigatewayv2_integration" "metadata" {
  count                  = local.is_http && local.has_resource ? 1 : 0
  api_id                 = var.api.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.function["metadata"].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "metadata" {
  for_each           = toset(local.is_http && local.has_resource ? ["", "/{proxy+}"] : [])
  api_id             = var.api.id
  route_key          = "GET /.well-known/oauth-protected-resource${each.key}"
  authorization_type = "NONE"
  target             = "integrations/${aws_apigatewayv2_integration.metadata[0].id}"
}

resource "aws_lambda_permission" "metadata" {
  count         = local.has_resource ? 1 : 0
  statement_id  = "Metadata"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function["metadata"].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${var.api.execution_arn}/*/GET/.well-known/oauth-protected-resource*"
}

resource "aws_api_gateway_resource" "well_known" {
  count       = local.has_rest_metadata ? 1 : 0
  rest_api_id = var.api.id
  parent_id   = var.api.root_resource_id
  path_part   = ".well-known"
}

resource "aws_api_gateway_resource" "metadata" {
  count       = local.has_rest_metadata ? 1 : 0
  rest_api_id = var.api.id
  parent_id   = aws_api_gateway_resource.well_known[0].id
  path_part   = "oauth-protected-resource"
}

resource "aws_api_gateway_resource" "metadata_behind" {
  count       = local.has_rest_metadata ? 1 : 0
  rest_api_id = var.api.id
  parent_id   = aws_api_gateway_resource.metadata[0].id
  path_part   = "{proxy+}"
}

resource "aws_api_gateway_method" "metadata" {
  for_each      = local.rest_metadata
  rest_api_id   = var.api.id
  resource_id   = each.value
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "metadata" {
  for_each                = local.rest_metadata
  rest_api_id             = var.api.id
  resource_id             = each.value
  http_method             = aws_api_gateway_method.metadata[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.function["metadata"].invoke_arn
}
