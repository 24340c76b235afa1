# What the scripts of this folder share. R 4.2.2, survey 4.1-1.

suppressMessages(library(survey))

ORGANIZATIONS <- c("a", "b", "c")
ITEMS <- c("q1", "q2", "q3")

# The population of sample.csv, 220 people.
SEX <- data.frame(sex = c("female", "male"), Freq = c(112, 108))
AGE <- data.frame(age = c("middle", "old", "young"), Freq = c(82, 78, 60))
MARGINS <- c(`(Intercept)` = 220, sexmale = 108, ageold = 78, ageyoung = 60)

A_MINUS_B <- cbind(diag(3), -diag(3), matrix(0, 3, 3))  # over (organization, item) pairs

read_rows <- function(file) read.csv(file, stringsAsFactors = TRUE)

# Answers and who answered, a column per (organization, item), organization slowest.
pairs_of <- function(rows) {
  answers <- do.call(cbind, lapply(ORGANIZATIONS, function(organization) {
    ifelse(rows$organization == organization, 1, NA) * as.matrix(rows[ITEMS])
  }))
  answered <- !is.na(answers)
  list(answers = ifelse(answered, answers, 0), answered = answered)
}

weighted_means <- function(pairs, weights) {
  drop(weights %*% pairs$answers) / drop(weights %*% pairs$answered)
}

# Linearized variables of the means, not yet weighted: answered * (answer - mean) / sum(weight).
linearized <- function(pairs, weights) {
  centred <- sweep(pairs$answers, 2, weighted_means(pairs, weights)) * pairs$answered
  sweep(centred, 2, drop(weights %*% pairs$answered), "/")
}

# Sums of a row matrix over the evaluations of every respondent, in the order of `respondents`.
per_respondent <- function(matrix, rows, respondents) {
  rowsum(matrix * 1, as.character(rows$respondent))[as.character(respondents$respondent), ]
}

variance <- function(weighted, design) {
  unname(svyrecvar(weighted, design$cluster, design$strata, design$fpc,
                   postStrata = design$postStrata))
}

agree <- function(one, other) {
  stopifnot(all.equal(as.vector(one), as.vector(other), tolerance = 1e-12))
}

square <- function(values) matrix(values, 3, byrow = TRUE)  # organizations x items

# Means, errors, covariances and the difference a - b, as they go into a JSON file.
reported <- function(means, covariance) {
  difference <- A_MINUS_B %*% covariance %*% t(A_MINUS_B)
  list(mean = square(means), se = square(sqrt(diag(covariance))), covariance = covariance,
       difference = list(value = drop(A_MINUS_B %*% means), se = sqrt(diag(difference))))
}

# Estimates of a design of evaluations, checked against svyratio and svymean of every domain.
design_estimates <- function(design) {
  pairs <- pairs_of(design$variables)
  weights <- weights(design)
  means <- weighted_means(pairs, weights)
  covariance <- variance(linearized(pairs, weights) * weights, design)
  freedom <- numeric(9)
  for (pair in 1:9) {
    answers <- pairs$answers[, pair]
    answered <- as.numeric(pairs$answered[, pair])
    ratio <- svyratio(answers, answered, design)
    agree(c(coef(ratio), vcov(ratio)), c(means[pair], covariance[pair, pair]))
    domain <- subset(design, answered == 1)
    freedom[pair] <- degf(domain)
    # "average" counts the strata of the subset alone, so it can differ there.
    if (getOption("survey.lonely.psu") != "average") {
      mean <- svymean(as.formula(paste0("~", ITEMS[(pair - 1) %% 3 + 1])), domain)
      agree(c(coef(mean), vcov(mean)), c(means[pair], covariance[pair, pair]))
    }
  }
  c(reported(means, covariance), list(degf = degf(design), domain_degf = square(freedom)))
}

# The shortest decimal that reads back as the same double.
shortest <- function(number) {
  stopifnot(is.finite(number))
  for (digits in 15:17) {
    text <- sprintf("%.*g", digits, number)
    if (as.numeric(text) == number) return(text)
  }
  text
}

json <- function(value, indent = "") {
  deeper <- paste0(indent, " ")
  lines <- function(parts, open, close) {
    paste0(open, "\n", paste0(deeper, parts, collapse = ",\n"), "\n", indent, close)
  }
  if (is.list(value)) {
    return(lines(paste0('"', names(value), '": ', sapply(value, json, deeper)), "{", "}"))
  }
  if (is.matrix(value)) return(lines(apply(value, 1, json), "[", "]"))
  value <- unname(value)
  text <- if (is.character(value)) paste0('"', value, '"')
    else if (is.logical(value)) tolower(value)
    else vapply(value, shortest, "")
  if (length(text) == 1) text else paste0("[", paste(text, collapse = ", "), "]")
}

write_json <- function(value, file) {
  made <- list(made_with = paste0(R.version.string, ", survey ", packageVersion("survey")),
               organizations = ORGANIZATIONS, items = ITEMS)
  writeLines(json(c(made, value)), file)
}
