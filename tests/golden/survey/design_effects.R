# Design effects of the means of sample.csv, strata and clusters. R 4.2.2, survey 4.1-1.
# Rscript design_effects.R, in this folder: writes design_effects.json.

source("common.R")
rows <- read_rows("sample.csv")
design <- svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = rows)

# The same from the formula: v / s^2 * n, with s^2 the weighted variance times n / (n - 1).
by_hand <- function(answers, weights, v) {
  n <- length(answers)
  total <- sum(weights)
  s2 <- n / (n - 1) * sum(weights * (answers - weighted.mean(answers, weights))^2) / total
  c(replace = v / (s2 / n), without = v / (s2 * (total - n) / (total * n)))
}

one <- function(organization, item) {
  domain <- design[rows$organization == organization & !is.na(rows[[item]]), ]
  formula <- as.formula(paste0("~", item))
  replace <- svymean(formula, domain, deff = "replace")
  without <- svymean(formula, domain, deff = TRUE)
  weights <- weights(domain)
  agree(by_hand(domain$variables[[item]], weights, vcov(replace)), c(deff(replace), deff(without)))
  c(replace = deff(replace), without_replacement = deff(without),
    kish = length(weights) * sum(weights^2) / sum(weights)^2,
    answers = length(weights), weight = sum(weights))
}

cells <- expand.grid(item = ITEMS, organization = ORGANIZATIONS, stringsAsFactors = FALSE)
found <- mapply(one, cells$organization, cells$item)
rownames(found) <- c("replace", "without_replacement", "kish", "answers", "weight")
people <- rows$weight[!duplicated(rows$respondent)]
write_json(c(sapply(rownames(found), function(name) square(found[name, ]), simplify = FALSE),
             list(kish_respondents = length(people) * sum(people^2) / sum(people)^2)),
           "design_effects.json")
